/*
 * The writer lock as a Promela model, for the SPIN model checker.
 *
 * One atomic block is one system call (or one run of calls that nobody outside can tell from one), so every
 * interleaving of the calls of all processes is searched. README.md beside this file explains the abstraction,
 * lists the step labels, and gives the configurations; `check` runs them.
 *
 * What is asserted
 *   P1 never two writers: at most one of our processes may change F;
 *   P2 never two holders among ours (also with F absent, where nobody removes L);
 *   P3 a writer's validate passes only if nobody else has had the lock since it acquired (see overtakenBy);
 *   P4 no process of ours removes the lock of a live process;
 *   P5 with a peer whose windows are bounded (BOUNDED): never one of ours and a peer at once;
 *   P6 at the end every guard is free, and what is left behind can be judged stale;
 *   and SPIN itself: nobody waits for ever.
 *
 * Configuration (all by -D)
 *   WRITERS n    processes of ours                        PEERS n     naive peers
 *   TRIES n      how often each of ours tries             HANDOVER 1  writer 0 may hand over to a successor
 *   CRASHES n    how many processes may be killed         RM n        how often an operator removes L
 *   REPLACE      the operator may also move a copy of an old record over L
 *   LEFTOVER     what L is at the start: 0 absent, 1 a dead peer's, 2 a dead one of ours (old),
 *                3 empty and old, 9 any of these
 *   F_ABSENT     F does not exist at the start            F_APPEARS   somebody else creates it meanwhile
 *   COMPACT      a holder may replace F by a new file     BOUNDED     peers keep to the time limits we assume
 *   FOREIGN      peers are on another host: everybody judges them, and they judge us, by age alone
 *   SETTLE_AFTER_PUBLISH  settle after every publication, not only after take-overs
 *   EXCHANGE     take over by exchanging files (where L cannot be written)
 *   PLAIN_CREATE publish by O_CREAT|O_EXCL on L itself (where nothing better works)
 *
 * Defects: see README.md. Each takes one precaution away, and SPIN must then find a violation.
 */

#ifndef WRITERS
#define WRITERS 2
#endif
#ifndef PEERS
#define PEERS 0
#endif
#ifndef TRIES
#define TRIES 2                  /* a peer needs two inodes, so never less than 2 when there are peers */
#endif
#ifndef HANDOVER
#define HANDOVER 0
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef RM
#define RM 0
#endif
#ifndef LEFTOVER
#define LEFTOVER 9
#endif

/* Defects that are made of smaller ones. */
#ifdef DEFECT_TAKEOVER_UNGUARDED  /* judge and overwrite without holding the guard of L */
#define NO_GUARD_ON_L
#define NO_RECHECK_L
#endif
#ifdef DEFECT_RENAME_ASIDE        /* move the stale lock away and publish afresh; no guard while judging */
#define NO_GUARD_ON_L
#define NO_RECHECK_L
#endif
#ifdef DEFECT_NO_INODE_CHECK      /* neither after guarding L nor when confirming */
#define NO_RECHECK_L
#define NO_CONFIRM_INODE
#endif
#ifdef DEFECT_LATE_RECORD         /* the name is visible before the record, and nobody waits for the consequences */
#define PLAIN_CREATE
#endif

/* Process numbers: writers first, then peers, then the successor of a hand-over. */
#define PROCESSES   (WRITERS + PEERS + HANDOVER)
#define SUCCESSOR   (WRITERS + PEERS)
#define NONE        255

/* Inodes for L: TRIES for each process, one left over from before, one that an operator moves in, and one for
 * each writer for the renewal-by-rename defect. */
#define LOCK_INODE(p, n)  ((p) * TRIES + (n))
#define OLD_LOCK          (PROCESSES * TRIES)
#define MOVED_IN          (OLD_LOCK + 1)
#define RENEWED(p)        (OLD_LOCK + 2 + (p))
#ifdef DEFECT_RENEW_BY_RENAME
#define LOCK_INODES       (OLD_LOCK + 2 + WRITERS)
#else
#define LOCK_INODES       (OLD_LOCK + 2)
#endif

/* Inodes for F: the first, one created and one compacted for each writer, one made by somebody else. */
#define OLD_DATA          0
#define CREATED(p)        (1 + 2 * (p))
#define COMPACTED(p)      (2 + 2 * (p))
#define STRANGE_DATA      (1 + 2 * WRITERS)

/* What a lock file says: the process that it names. 0 is a file without content. */
#define EMPTY       0
#define NAMES(p)    ((p) + 1)
#define DEAD_PEER   200
#define DEAD_OURS   201

byte lockName = NONE;            /* the inode that L names */
byte dataName = NONE;            /* the inode that F names */
byte record[LOCK_INODES];        /* what each lock inode says */
bool fresh[LOCK_INODES];         /* its timestamp (or, for an empty file, its mtime) is young */

/* The guards, one row per process instead of one column per inode: a process has at most one guard on a lock
 * file (two while it exchanges) and two on data files (while it compacts). A hand-over puts the same inode into
 * two rows: one open file description, two owners. */
byte onL[PROCESSES + 1] = NONE;
byte onF[PROCESSES + 1] = NONE;
#ifdef EXCHANGE
byte onL2[PROCESSES + 1] = NONE;
#endif
#ifdef COMPACT
byte onF2[PROCESSES + 1] = NONE;
#endif

bool alive[PROCESSES + 1];
byte crashesLeft = CRASHES;
byte ended = 0;

/* Ghosts: only the assertions read them. */
bool holding[PROCESSES + 1];     /* acquire has returned, and release has not begun */
bool writing[PROCESSES + 1];     /* holding, with F guarded, and validated since: it may change F */
byte holders = 0;
byte writers = 0;
byte peerHolders = 0;
#if PEERS > 0
bool windowOpen[PROCESSES + 1];  /* this peer has read "stale" and has not yet unlinked */
byte windows = 0;
bool peerRobbedPeer = 0;         /* one peer took another's live lock: nothing of ours can mend that */
#endif
byte overtakenBy[PROCESSES + 1]; /* who has had the lock since this process acquired it. One who came and went
                                    before this process guarded F does not count: it had read nothing of F yet. */

bool stoodAside = 0;             /* a live lock stood aside for a moment: whoever came and went in that moment is
                                    noticed by nobody. This is one of the things that are left; see README.md. */

#if HANDOVER
bool sent = 0, confirmed = 0, refused = 0;
byte sentL = NONE, sentF = NONE;
#endif

#define SET(p)       (1 << (p))
#define NAMES_OURS(r) ((r) == DEAD_OURS || ((r) > 0 && (r) <= WRITERS) || (HANDOVER && (r) == NAMES(SUCCESSOR)))
#define NAMES_PEER(r) ((r) == DEAD_PEER || ((r) > WRITERS && (r) <= WRITERS + PEERS))
#define DEAD(r)       ((r) == DEAD_PEER || (r) == DEAD_OURS || ((r) > 0 && (r) <= PROCESSES && !alive[(r) - 1]))
/* Who created an inode still lives. */
#define AUTHOR_LIVES(i) ((i) < OLD_LOCK && alive[(i) / TRIES])

/* Does a process other than `me` hold a guard on this inode? */
#ifdef EXCHANGE
#define HAS_L(p, i)  ((p) != me && (onL[p] == (i) || onL2[p] == (i)))
#else
#define HAS_L(p, i)  ((p) != me && onL[p] == (i))
#endif
#ifdef COMPACT
#define HAS_F(p, i)  ((p) != me && (onF[p] == (i) || onF2[p] == (i)))
#else
#define HAS_F(p, i)  ((p) != me && onF[p] == (i))
#endif
#if PROCESSES == 1
#define BUSY_L(i)    HAS_L(0, i)
#define BUSY_F(i)    HAS_F(0, i)
#elif PROCESSES == 2
#define BUSY_L(i)    (HAS_L(0, i) || HAS_L(1, i))
#define BUSY_F(i)    (HAS_F(0, i) || HAS_F(1, i))
#elif PROCESSES == 3
#define BUSY_L(i)    (HAS_L(0, i) || HAS_L(1, i) || HAS_L(2, i))
#define BUSY_F(i)    (HAS_F(0, i) || HAS_F(1, i) || HAS_F(2, i))
#else
#define BUSY_L(i)    (HAS_L(0, i) || HAS_L(1, i) || HAS_L(2, i) || HAS_L(3, i))
#define BUSY_F(i)    (HAS_F(0, i) || HAS_F(1, i) || HAS_F(2, i) || HAS_F(3, i))
#endif

/* A process may be killed before any of its system calls. */
#if CRASHES > 0
#define MAY_DIE  if :: crashesLeft > 0 -> crashesLeft--; goto killed :: true fi
#else
#define MAY_DIE  skip
#endif

/* Settling: the time after which every peer that read "stale" before our write has done its unlink. A peer
 * without bounds makes the wait worthless, so there it is no wait at all. */
#ifdef BOUNDED
#define SETTLED  (windows == 0)
#else
#define SETTLED  true
#endif

/* P2 holds where nothing but the protocol removes L. With F present guard(F) covers even that. */
#if defined(F_ABSENT) && (RM > 0 || (PEERS > 0 && !defined(BOUNDED)))
#define ASSERT_HOLDERS  skip
#else
#define ASSERT_HOLDERS  assert(holders <= 1)
#endif
#if defined(BOUNDED) && RM == 0
#define ASSERT_MIXED    assert(holders == 0 || peerHolders == 0 || peerRobbedPeer)
#else
#define ASSERT_MIXED    skip
#endif

inline overtakeAll() {
    overtakenBy[0] = overtakenBy[0] | SET(me);
#if PROCESSES > 1
    overtakenBy[1] = overtakenBy[1] | SET(me);
#endif
#if PROCESSES > 2
    overtakenBy[2] = overtakenBy[2] | SET(me);
#endif
#if PROCESSES > 3
    overtakenBy[3] = overtakenBy[3] | SET(me);
#endif
    overtakenBy[me] = overtakenBy[me] & ~SET(me)
}

inline comeAndGone(p) {
    if :: onF[p] == NONE -> overtakenBy[p] = overtakenBy[p] & ~SET(me) :: else fi
}

inline forgetMe() {
    comeAndGone(0);
#if PROCESSES > 1
    comeAndGone(1);
#endif
#if PROCESSES > 2
    comeAndGone(2);
#endif
#if PROCESSES > 3
    comeAndGone(3);
#endif
    skip
}

inline startWriting() {
    writing[me] = 1;
    writers++;
    overtakeAll();
    assert(writers <= 1)                                              /* P1 */
}

inline startHolding(hasF) {
    holding[me] = 1;
    holders++;
    overtakenBy[me] = 0;
    if :: hasF -> startWriting() :: else fi;
    ASSERT_HOLDERS;                                                   /* P2 */
    ASSERT_MIXED                                                      /* P5 */
}

inline stopHolding() {
    if :: holding[me] -> holding[me] = 0; holders-- :: else fi;
    if :: writing[me] -> writing[me] = 0; writers--; forgetMe() :: else fi
}

inline dropAllGuards() {
    onL[me] = NONE;
    onF[me] = NONE;
#ifdef EXCHANGE
    onL2[me] = NONE;
#endif
#ifdef COMPACT
    onF2[me] = NONE;
#endif
    skip
}

/* P4: this inode loses its last name by our hand. */
inline removedByUs(inode) {
    assert(inode == NONE || inode == i || DEAD(record[inode]) || (record[inode] == EMPTY && !AUTHOR_LIVES(inode)))
}

inline noteAside() {
    if :: lockName != NONE && lockName != i && record[lockName] != EMPTY && !DEAD(record[lockName]) -> stoodAside = 1
       :: else fi
}

/* Release, as the holder and as a successor that became one. */
inline releaseSteps() {          /* the caller labels its first step releaseValidate: SPIN allows no label here */
    atomic { MAY_DIE; stopHolding();
        if :: lockName == i && record[i] == NAMES(me) :: else -> goto dropGuardL fi }
#ifdef DEFECT_RELEASE_BY_UNLINK
releaseUnlink:
    atomic { MAY_DIE; removedByUs(lockName); lockName = NONE }
#else
releaseAside:                                    /* rename L to a private name: whatever L is by now */
    atomic { MAY_DIE; noteAside(); aside = lockName; lockName = NONE }
releaseCheck:                                    /* ours? else link it back, without clobbering */
    atomic { MAY_DIE;
        if :: aside != NONE && (aside != i || record[aside] != NAMES(me)) ->
                if :: lockName == NONE -> lockName = aside :: else fi; aside = NONE
           :: else fi }
releaseUnlink:                                   /* the private name goes */
    atomic { MAY_DIE; removedByUs(aside); aside = NONE }
#endif
dropGuardL:
    atomic { MAY_DIE; onL[me] = NONE
#ifdef EXCHANGE
        ; onL2[me] = NONE
#endif
    }
dropGuardF:
    atomic { MAY_DIE; dropAllGuards() }
}

proctype Writer(byte me) {
    byte i = NONE;               /* our lock inode */
    byte f = NONE;               /* our data inode; NONE while F is absent */
    byte aside = NONE;           /* what an exchange or a release put under our private name */
    byte tries = 0;
    bool mustSettle = 0;
#ifdef COMPACT
    bool compacted = 0;          /* once each: an inode that somebody still has open is never used again */
#endif

begin:
    atomic { MAY_DIE; stopHolding(); dropAllGuards(); i = NONE; f = NONE; aside = NONE; mustSettle = 0;
        if :: tries == TRIES -> goto finished :: else -> tries++ fi }

    /* Step 2: guard F where it exists. */
openF:
    atomic { MAY_DIE; f = dataName; if :: f == NONE -> goto publish :: else fi }
guardF:
    atomic { MAY_DIE;
#ifndef DEFECT_NO_GUARD_ON_F
        if :: BUSY_F(f) -> goto begin :: else -> onF[me] = f fi
#endif
    }
recheckF:                                        /* a compaction may have put another file there meanwhile */
    atomic { MAY_DIE;
#ifndef DEFECT_NO_RECHECK_F
        if :: dataName != f -> goto begin :: else fi
#endif
    }

    /* Step 3: publish a file that is complete and guarded before it has the name. */
publish:
#ifdef PLAIN_CREATE
    atomic { MAY_DIE;
        if :: lockName == NONE -> i = LOCK_INODE(me, tries - 1); record[i] = EMPTY; fresh[i] = 1; lockName = i
           :: else -> goto openL fi }
guardOwn:
    atomic { MAY_DIE; if :: BUSY_L(i) -> goto begin :: else -> onL[me] = i fi }
writeOwn:
    atomic { MAY_DIE; record[i] = NAMES(me); fresh[i] = 1; mustSettle = 1 }
#ifdef DEFECT_LATE_RECORD
    atomic { startHolding(f != NONE); goto held }
#else
    goto settle;
#endif
#else
    atomic { MAY_DIE;
        if :: lockName == NONE ->
                i = LOCK_INODE(me, tries - 1); record[i] = NAMES(me); fresh[i] = 1; onL[me] = i; lockName = i;
#ifdef SETTLE_AFTER_PUBLISH
                mustSettle = 1; goto settle
#else
                startHolding(f != NONE); goto held
#endif
           :: else fi }
#endif

    /* Step 4: guard the lock that is there. */
openL:
    atomic { MAY_DIE; i = lockName; if :: i == NONE -> goto begin :: else fi }
guardL:
    atomic { MAY_DIE;
#ifdef NO_GUARD_ON_L
        if :: BUSY_L(i) -> goto begin :: else fi         /* look, but keep nothing */
#else
        if :: BUSY_L(i) -> goto begin :: else -> onL[me] = i fi
#endif
    }
recheckL:                                        /* the holder may have let go, and somebody published anew */
    atomic { MAY_DIE;
#ifndef NO_RECHECK_L
        if :: lockName != i -> goto begin :: else fi
#endif
    }

    /* Step 5: judge. The guard is ours, so a record with the guard byte has no holder. */
judge:
    atomic { MAY_DIE;
        if :: NAMES_OURS(record[i]) ->
#ifdef DEFECT_NO_SETTLE_AFTER_OURS
                mustSettle = 0
#else
#ifdef DEFECT_NO_SETTLE_AFTER_YOUNG
                mustSettle = !fresh[i]           /* "no peer can have thought a young record stale": wrong */
#else
                mustSettle = 1
#endif
#endif
           :: NAMES_PEER(record[i]) && !fresh[i] && DEAD(record[i]) -> mustSettle = 1
#ifdef FOREIGN
           :: NAMES_PEER(record[i]) && !fresh[i] && !DEAD(record[i]) -> mustSettle = 1
#endif
           :: record[i] == EMPTY && !fresh[i] -> mustSettle = 1
           :: else -> goto begin
        fi }

    /* Step 6: take over. */
#ifdef DEFECT_RENAME_ASIDE
takeoverAside:
    atomic { MAY_DIE; aside = lockName; lockName = NONE }
takeoverCheck:
    atomic { MAY_DIE;
        if :: aside != i && aside != NONE -> if :: lockName == NONE -> lockName = aside :: else fi; goto begin
           :: else -> aside = NONE; goto publish fi }
#elif defined(EXCHANGE)
takeoverExchange:                                /* our file is complete and guarded before it goes in */
    atomic { MAY_DIE;
        if :: lockName == NONE -> goto begin
           :: else -> noteAside(); aside = lockName; onL2[me] = LOCK_INODE(me, tries - 1);
                record[LOCK_INODE(me, tries - 1)] = NAMES(me); fresh[LOCK_INODE(me, tries - 1)] = 1;
                lockName = LOCK_INODE(me, tries - 1) fi }
takeoverCheck:                                   /* what came out must be what was judged; else swap back */
    atomic { MAY_DIE;
        if :: aside == i -> i = LOCK_INODE(me, tries - 1); onL[me] = i; onL2[me] = NONE; aside = NONE
           :: else -> if :: lockName == NONE || lockName == LOCK_INODE(me, tries - 1) -> lockName = aside :: else fi;
                goto begin fi }
#else
takeoverTimestamp:                               /* first look alive; a death here leaves a good record */
    atomic { MAY_DIE; fresh[i] = 1 }
takeoverRecord:
    atomic { MAY_DIE; record[i] = NAMES(me); fresh[i] = 1 }
#endif
settle:
    if :: atomic { !mustSettle || SETTLED -> MAY_DIE }
#if CRASHES > 0 && defined(BOUNDED)
       :: atomic { crashesLeft > 0 -> crashesLeft--; goto killed }
#endif
    fi;
confirm:
    atomic { MAY_DIE; mustSettle = 0;
#ifdef NO_CONFIRM_INODE
        if :: record[i] != NAMES(me) -> goto begin :: else fi;
#else
        if :: lockName != i || record[i] != NAMES(me) -> goto begin :: else fi;
#endif
        startHolding(f != NONE) }

held:
    if
    :: goto validate
    /* Step 7: create F complete, guarded, and without clobbering. Or leave it absent. */
    :: atomic { f == NONE -> goto createF }
#ifdef COMPACT
    :: atomic { f != NONE && !compacted -> compacted = 1; goto compactGuard }
#endif
#if HANDOVER
    :: atomic { me == 0 && !sent -> goto send }
#endif
    fi;

createF:
#ifdef DEFECT_CREATE_F_PLAINLY
    atomic { MAY_DIE; if :: dataName == NONE -> dataName = CREATED(me) :: else fi; f = dataName };
    atomic { MAY_DIE; if :: BUSY_F(f) :: else -> onF[me] = f fi; goto validate }
#else
    atomic { MAY_DIE;
        if :: dataName == NONE -> f = CREATED(me); onF[me] = f; dataName = f
           :: else -> goto begin fi;             /* EEXIST: let go, start over */
        goto validate }
#endif

#ifdef COMPACT
compactGuard:
    atomic { MAY_DIE; onF2[me] = COMPACTED(me) }
compactRename:
    atomic { MAY_DIE; dataName = COMPACTED(me) }
compactDrop:
    atomic { MAY_DIE; f = COMPACTED(me); onF[me] = f; onF2[me] = NONE; goto validate }
#endif

    /* Validate. Where F was absent at acquire and is there now, it is guarded first, its name looked at again,
     * and only then L: so what L says is said while F is already ours. */
validate:
    atomic { MAY_DIE; if :: f == NONE && dataName != NONE -> f = dataName :: else -> goto validateL fi }
#ifdef DEFECT_VALIDATE_L_FIRST
validateLEarly:
    atomic { MAY_DIE; if :: lockName != i || record[i] != NAMES(me) -> goto lost :: else fi }
#endif
validateGuardF:
    atomic { MAY_DIE;
#ifndef DEFECT_VALIDATE_UNGUARDED
        if :: BUSY_F(f) -> goto lost :: else -> onF[me] = f fi
#endif
    }
validateRecheckF:
    atomic { MAY_DIE; if :: dataName != f -> goto lost :: else fi }
#ifdef DEFECT_VALIDATE_L_FIRST
    atomic { assert(overtakenBy[me] == 0 || stoodAside); startWriting(); goto renew };
#endif
validateL:
    atomic { MAY_DIE;
        if :: lockName != i || record[i] != NAMES(me) || (f != NONE && dataName != f) -> goto lost
           :: else fi;
        if :: f != NONE -> assert(overtakenBy[me] == 0 || stoodAside) :: else fi;                   /* P3 */
        if :: f != NONE && !writing[me] -> startWriting() :: else fi }
renew:                                           /* eight bytes through the held descriptor */
    atomic { MAY_DIE;
#ifdef DEFECT_RENEW_BY_RENAME
        record[RENEWED(me)] = NAMES(me); fresh[RENEWED(me)] = 1; i = RENEWED(me); onL[me] = i; lockName = i
#else
        fresh[i] = 1
#endif
    }
#ifdef DEFECT_RENEW_BY_RENAME
validateAgain:
    atomic { MAY_DIE; if :: lockName != i -> goto lost :: else -> assert(overtakenBy[me] == 0 || stoodAside) fi }
#endif
    goto releaseValidate;

    /* Lost is final: nothing of L is touched, the guards go. */
lost:
    goto begin;

#if HANDOVER
send:                                            /* from here on we hold nothing, but our copies stay open */
    atomic { MAY_DIE; stopHolding(); sent = 1; sentL = i; sentF = f;
        if :: alive[SUCCESSOR] -> onL[SUCCESSOR] = i; onF[SUCCESSOR] = f :: else fi }
awaitAnswer:
    if
    :: atomic { confirmed -> MAY_DIE; dropAllGuards(); goto finished }
    :: atomic { !confirmed && (refused || !alive[SUCCESSOR]) -> MAY_DIE }
#ifdef DEFECT_RESUME_ON_TIMEOUT
    :: atomic { !confirmed -> MAY_DIE }
#endif
#if CRASHES > 0
    :: atomic { crashesLeft > 0 -> crashesLeft--; goto killed }
#endif
    fi;
resumeTimestamp:
    atomic { MAY_DIE; fresh[i] = 1 }
resumeRecord:
    atomic { MAY_DIE; record[i] = NAMES(me); fresh[i] = 1 }
resumeSettle:
    if :: atomic { SETTLED -> MAY_DIE }
#if CRASHES > 0 && defined(BOUNDED)
       :: atomic { crashesLeft > 0 -> crashesLeft--; goto killed }
#endif
    fi;
resumeConfirm:
    atomic { MAY_DIE;
        if :: lockName != i || record[i] != NAMES(me) || (f != NONE && dataName != f) -> goto begin
           :: else -> startHolding(f != NONE); goto validate fi }
#endif

releaseValidate:
    releaseSteps();
    if :: goto begin :: skip fi;

finished:
    skip;
killed:
    atomic { alive[me] = 0; stopHolding(); dropAllGuards(); i = NONE; f = NONE; aside = NONE; tries = 0; ended++ }
}

#if HANDOVER
proctype Successor(byte me) {
    byte i = NONE, f = NONE, aside = NONE;

receive:
    if
    :: atomic { sent -> MAY_DIE; i = sentL; f = sentF }
    :: atomic { !sent && ended == WRITERS + PEERS -> goto finished }
#if CRASHES > 0
    :: atomic { crashesLeft > 0 -> crashesLeft--; goto killed }
#endif
    fi;
adopt:                                           /* the descriptors must be L's and F's, as the paths say */
    atomic { MAY_DIE; if :: lockName == i && (f == NONE || dataName == f) :: else -> goto refuse fi }
adoptTimestamp:
    atomic { MAY_DIE; fresh[i] = 1 }
adoptRecord:
    atomic { MAY_DIE; record[i] = NAMES(me); fresh[i] = 1 }
adoptSettle:
    if :: atomic { SETTLED -> MAY_DIE }
#if CRASHES > 0 && defined(BOUNDED)
       :: atomic { crashesLeft > 0 -> crashesLeft--; goto killed }
#endif
    fi;
adoptValidate:
    atomic { MAY_DIE;
        if :: lockName != i || record[i] != NAMES(me) || (f != NONE && dataName != f) -> goto refuse :: else fi }
adoptConfirm:
    atomic { MAY_DIE; confirmed = 1; startHolding(f != NONE); goto releaseValidate }

refuse:                                          /* the guards go before the socket */
    atomic { MAY_DIE; dropAllGuards() };
    atomic { MAY_DIE; refused = 1; goto finished };

releaseValidate:
    releaseSteps();
finished:
    skip;
killed:
    atomic { alive[me] = 0; stopHolding(); dropAllGuards(); i = NONE; f = NONE; aside = NONE; ended++ }
}
#endif

#if PEERS > 0
inline closeWindow() { if :: windowOpen[me] -> windowOpen[me] = 0; windows-- :: else fi }

/* A naive peer, as it is found in the field: it knows names and records, no guards. */
proctype Peer(byte me) {
    byte attempt = 0;
    bool has = 0;

peerCreate:
    atomic { MAY_DIE;
        if :: lockName == NONE ->
                lockName = LOCK_INODE(me, attempt); record[lockName] = EMPTY; fresh[lockName] = 1;
                overtakeAll();
                goto peerWrite
           :: else -> if :: attempt == 1 -> goto finished :: else fi
        fi }
peerRead:
    atomic { MAY_DIE;
        if :: lockName == NONE -> goto finished
           :: lockName != NONE && (record[lockName] == EMPTY || (!fresh[lockName] && DEAD(record[lockName])))
                -> windowOpen[me] = 1; windows++
#ifdef FOREIGN
           :: lockName != NONE && !fresh[lockName] && record[lockName] != EMPTY && !DEAD(record[lockName])
                -> windowOpen[me] = 1; windows++
#endif
           :: else -> goto finished
        fi }
peerUnlink:                                      /* whatever is there by now */
    atomic { MAY_DIE; closeWindow();
        if :: lockName != NONE && ((NAMES_PEER(record[lockName]) && !DEAD(record[lockName]))
                 || (record[lockName] == EMPTY && AUTHOR_LIVES(lockName) && lockName / TRIES >= WRITERS))
                 -> peerRobbedPeer = 1
           :: else fi;
        lockName = NONE; attempt = 1; goto peerCreate }
peerWrite:
    atomic { MAY_DIE; record[LOCK_INODE(me, attempt)] = NAMES(me); fresh[LOCK_INODE(me, attempt)] = 1 }
peerHold:
    atomic { MAY_DIE; has = 1; peerHolders++;
        ASSERT_MIXED;
#if WRITERS == 0
        assert(peerHolders <= 1);
#endif
        skip }
peerReleaseCheck:
    atomic { MAY_DIE; peerHolders--; has = 0; forgetMe();
        if :: lockName != NONE && record[lockName] == NAMES(me) :: else -> goto finished fi }
peerReleaseUnlink:
    atomic { MAY_DIE; lockName = NONE }
finished:
    skip;
killed:
    atomic { alive[me] = 0; closeWindow(); if :: has -> has = 0; peerHolders-- :: else fi; forgetMe(); attempt = 0; ended++ }
}

/* Time passes: a record grows old. A live process on this host is never judged by its age, so only the records
 * of the dead matter, unless everybody is FOREIGN. Nor does an empty file grow old while its maker lives, where
 * peers are BOUNDED. */
#ifdef FOREIGN
#define MAY_AGE(i)  true
#elif defined(BOUNDED)
#define MAY_AGE(i)  (DEAD(record[i]) || (record[i] == EMPTY && !AUTHOR_LIVES(i)))
#else
#define MAY_AGE(i)  (DEAD(record[i]) || record[i] == EMPTY)
#endif
proctype Clock() {
end:
    do :: atomic { lockName != NONE && fresh[lockName] && MAY_AGE(lockName) -> fresh[lockName] = 0 } od
}
#endif

#if RM > 0
proctype Operator() {
    byte n = 0;
end:
    do
    :: atomic { n < RM && lockName != NONE -> lockName = NONE; n++ }
#ifdef REPLACE
    :: atomic { n < RM && lockName != NONE && lockName != MOVED_IN -> lockName = MOVED_IN; record[MOVED_IN] = DEAD_OURS;
         fresh[MOVED_IN] = 0; n++ }
#endif
    od
}
#endif

#ifdef F_APPEARS
proctype Outsider() {
end:
    atomic { dataName == NONE -> dataName = STRANGE_DATA }
}
#endif

/* P6: once all have ended, a late comer finds every guard free, and a record that it may judge stale in time. */
proctype LateComer() {
    byte p = 0;
    atomic { ended == PROCESSES ->
        do :: p < PROCESSES -> assert(onL[p] == NONE && onF[p] == NONE); p++ :: else -> break od;
        if :: lockName != NONE -> assert(DEAD(record[lockName]) || record[lockName] == EMPTY) :: else fi }
}

init {
    byte p = 0;
    atomic {
        do :: p < PROCESSES -> alive[p] = 1; p++ :: else -> break od;
#ifndef F_ABSENT
        dataName = OLD_DATA;
#endif
        if
#if LEFTOVER == 0 || LEFTOVER == 9
        :: skip
#endif
#if LEFTOVER == 1 || LEFTOVER == 9
        :: lockName = OLD_LOCK; record[OLD_LOCK] = DEAD_PEER
#endif
#if LEFTOVER == 2 || LEFTOVER == 9
        :: lockName = OLD_LOCK; record[OLD_LOCK] = DEAD_OURS
#endif
#if LEFTOVER == 3 || LEFTOVER == 9
        :: lockName = OLD_LOCK; record[OLD_LOCK] = EMPTY
#endif
        fi;
        p = 0;
        do :: p < WRITERS -> run Writer(p); p++ :: else -> break od;
#if PEERS > 0
        do :: p < WRITERS + PEERS -> run Peer(p); p++ :: else -> break od;
        run Clock();
#endif
#if HANDOVER
        run Successor(SUCCESSOR);
#endif
#if RM > 0
        run Operator();
#endif
#ifdef F_APPEARS
        run Outsider();
#endif
        run LateComer();
        p = 0
    }
}
