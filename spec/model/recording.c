/* What a replay needs of C: `replay` writes the recordings before it. The world of the model is `now`. */

static int rec_furthest[RECORDINGS];     /* the steps that the model has taken */
static int rec_taken[RECORDINGS];        /* whether it has taken all */
static const char *rec_difference[RECORDINGS];  /* what was not as recorded after the furthest */

static void rec_report(void) {
    int taken = 0, steps = 0, shown = 0;
    for (int r = 0; r < RECORDINGS; r++) {
        taken += rec_taken[r];
        steps += rec_furthest[r];
    }
    printf("REPLAYED %d of %d recordings, %d steps\n", taken, RECORDINGS, steps);
    for (int r = 0; r < RECORDINGS && shown < 5; r++) {
        if (rec_taken[r]) continue;
        shown++;
        int at = rec_furthest[r];
        const char *label = rec_first[r] + at < rec_first[r + 1] ? rec_labels[rec_steps[rec_first[r] + at].step] : "the end";
        printf("NOT TAKEN: %s: after %d steps, at %s", rec_names[r], at, label);
        if (at > 0) printf(" (last: %s by %d)", rec_labels[rec_steps[rec_first[r] + at - 1].step], rec_steps[rec_first[r] + at - 1].who);
        printf("%s%s\n", rec_difference[r] ? ": " : "", rec_difference[r] ? rec_difference[r] : "");
    }
}

/* What differs between the model's world and the recorded one, or nothing. */
static const char *rec_differs(const struct rec_step *w) {
    if (now.lockName != w->lock) return "L leads to another file";
    if (now.dataName != w->data) return "F leads to another file";
    if (w->lock != NONE) {
        if (now.record[w->lock] != w->record) return "the record in L is another's";
        if ((NAMES_OURS(now.record[w->lock]) || now.marked[w->lock]) != w->guarded) return "the guard byte";
    }
    for (int p = 0; p < WRITERS; p++) {
        int g = 0;
        if (now.lockName != NONE && (now.onL[p] == now.lockName || ON_L2(p) == now.lockName)) g |= 1;
        if (now.onL[p] != NONE || ON_L2(p) != NONE) g |= 2;
        if (now.dataName != NONE && (now.onF[p] == now.dataName || now.onF2[p] == now.dataName)) g |= 4;
        /* A file that has not been given the name F yet is none to the recording. */
        if (now.onF[p] != NONE || (now.onF2[p] != NONE && now.onF2[p] == now.dataName)) g |= 8;
        if (g != w->guards[p]) return (g ^ w->guards[p]) & 3 ? "who has the guard of L" : "who has the guard of F";
        if ((w->holders >> p & 1) && !now.holding[p]) return "a holder";
    }
    /* Whoever goes about a holder's business says that it is one, until it has found its lock lost. */
    int s = w->step;
    if (s == s_validateL || s == s_createF || s == s_compactGuard || s == s_renew)
        if (now.holding[w->who] && !(w->holders >> w->who & 1)) return "one that says that it holds nothing";
    return 0;
}

static void rec_begin(void) {
    static int isFirst = 1;
    if (isFirst) atexit(rec_report);
    isFirst = 0;
    const struct rec_step *w = &rec_starts[now.recording];
    now.lockName = w->lock;
    now.dataName = w->data;
    if (w->lock != NONE) now.record[w->lock] = w->record;
    /* All that is left over is old, or has the guard byte. */
}

static void rec_next(void) {
    int r = now.recording, at = now.position, count = rec_first[r + 1] - rec_first[r];
    const struct rec_step *steps = rec_steps + rec_first[r];
    const char *difference = rec_differs(at == 0 ? &rec_starts[r] : &steps[at - 1]);
    if (at >= rec_furthest[r]) {
        if (difference) {
            if (at > rec_furthest[r] || !rec_difference[r]) rec_difference[r] = difference;
        } else {
            rec_difference[r] = 0;
        }
        rec_furthest[r] = at;
    }
    now.turn = NOBODY;
    if (difference) return;
    if (at == count) {
        rec_taken[r] = 1;
        return;
    }
    now.turn = steps[at].who;
    now.due = steps[at].step;
    now.position = at + 1;
}
