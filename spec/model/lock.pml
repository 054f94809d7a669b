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
 *   REPLAY       take the steps of recorded runs of the code, and nothing else; `replay` brings the recording
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
#if PEERS > 0 || LEFTOVER == 1 || LEFTOVER == 9
#define HAS_MARKS
bool marked[LOCK_INODES];        /* a peer's record to which one of ours, taking over, has given the guard byte */
#endif

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
#ifdef HAS_MARKS
#define GUARDED(i)    (NAMES_OURS(record[i]) || marked[i])
#else
#define GUARDED(i)    NAMES_OURS(record[i])
#endif
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

/* The beginning of every step: a process may be killed before any of its system calls. In a replay the recording
 * says whose step is due, and which: see the process Recording at the end. */
#ifdef REPLAY
byte turn = NONE;
byte due;
short recording = 0;             /* which one */
short position;                  /* the next of its steps */
#include "recording.h"
#define STEP(label)  if :: turn == me && due == s_##label -> turn = NONE :: turn == me && due == s_killed -> goto killed fi
#define ENDS         turn == me && (due == s_killed || due == s_finished) -> turn = NONE
#define ENDS_EARLY   true
#elif CRASHES > 0
#define STEP(label)  if :: crashesLeft > 0 -> crashesLeft--; goto killed :: true fi
#else
#define STEP(label)  skip
#endif
#ifndef REPLAY
#define ENDS         true
#define ENDS_EARLY   false
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

/* Release, as the holder and as a successor that became one; also how a try ends whose record stands in L already. */
inline releaseSteps() {          /* the caller labels its first step releaseValidate: SPIN allows no label here */
    atomic { STEP(releaseValidate); stopHolding();
        if :: lockName == i && record[i] == NAMES(me) :: else -> goto dropGuardL fi }
#ifdef DEFECT_RELEASE_BY_UNLINK
releaseUnlink:
    atomic { STEP(releaseUnlink); removedByUs(lockName); lockName = NONE }
#else
releaseAside:                                    /* rename L to a private name: whatever L is by now */
    atomic { STEP(releaseAside);
        if :: lockName == NONE -> goto dropGuardL :: else -> noteAside(); aside = lockName; lockName = NONE fi }
releaseCheck:                                    /* ours? else link it back, without clobbering */
    atomic { STEP(releaseCheck);
        if :: aside != i || record[aside] != NAMES(me) ->
                if :: lockName == NONE -> lockName = aside :: else fi; aside = NONE; goto dropGuardL
           :: else fi }
releaseUnlink:                                   /* the private name goes */
    atomic { STEP(releaseUnlink); removedByUs(aside); aside = NONE }
#endif
dropGuardL:
    atomic { STEP(dropGuardL); onL[me] = NONE; i = NONE;
#ifdef EXCHANGE
        onL2[me] = NONE;
#endif
        if :: onF[me] == NONE -> goto released :: else fi }
dropGuardF:
    atomic { STEP(dropGuardF); dropAllGuards(); f = NONE }
released:
    skip
}

/* Validate: L, then F. A loss is final, and leaves the release to be made: that looks whether L is ours even so,
 * since F may be what was lost. Where F was absent at acquire and is there now, it is guarded first, its name looked at
 * again, and then L once more: so what L says is said while F is already ours. */
inline validateSteps() {         /* the caller labels its first step validateL, and what comes after the last validated */
    atomic { STEP(validateL);
        if :: lockName != i || record[i] != NAMES(me) -> stopHolding(); goto releaseValidate :: else fi;
        if :: f != NONE -> assert(overtakenBy[me] == 0 || stoodAside) :: else fi }                  /* P3 */
validateF:
    atomic { STEP(validateF);
        if :: f != NONE && dataName != f -> stopHolding(); goto releaseValidate
           :: f != NONE && dataName == f -> if :: !writing[me] -> startWriting() :: else fi; goto validated
           :: f == NONE && dataName == NONE -> goto validated
           :: f == NONE && dataName != NONE -> f = dataName fi }
validateGuardF:
    atomic { STEP(validateGuardF);
#ifndef DEFECT_VALIDATE_UNGUARDED
        if :: BUSY_F(f) -> f = NONE; stopHolding(); goto releaseValidate :: else -> onF[me] = f fi
#endif
    }
validateRecheckF:
    atomic { STEP(validateRecheckF);
        if :: dataName != f -> onF[me] = NONE; f = NONE; stopHolding(); goto releaseValidate :: else fi }
#ifdef DEFECT_VALIDATE_L_FIRST
    atomic { assert(overtakenBy[me] == 0 || stoodAside); startWriting(); goto validated };
#endif
validateAgain:
    atomic { STEP(validateAgain);
        if :: lockName != i || record[i] != NAMES(me) -> stopHolding(); goto releaseValidate :: else fi;
        assert(overtakenBy[me] == 0 || stoodAside);                                                 /* P3 */
        startWriting() }
}

/* The end of a try that has no guard on L yet. */
inline giveUp() { if :: f != NONE -> goto dropGuardF :: else -> goto begin fi }

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
    atomic { STEP(begin); stopHolding(); dropAllGuards(); i = NONE; f = NONE; aside = NONE; mustSettle = 0;
        if :: tries == TRIES || ENDS_EARLY -> goto finished :: tries < TRIES -> tries++ fi }

    /* Step 2: guard F where it exists. */
openF:
    atomic { STEP(openF); f = dataName; if :: f == NONE -> goto publish :: else fi }
guardF:
    atomic { STEP(guardF);
#ifndef DEFECT_NO_GUARD_ON_F
        if :: BUSY_F(f) -> goto begin :: else -> onF[me] = f fi
#endif
    }
recheckF:                                        /* a compaction may have put another file there meanwhile */
    atomic { STEP(recheckF);
#ifndef DEFECT_NO_RECHECK_F
        if :: dataName != f -> goto dropGuardF :: else fi
#endif
    }

    /* Step 3: publish a file that is complete and guarded before it has the name. Where L is taken: step 4, or a
     * new try, as after a second look at L. */
publish:
#ifdef PLAIN_CREATE
    atomic { STEP(publish);
        if :: lockName == NONE -> i = LOCK_INODE(me, tries - 1); record[i] = EMPTY; fresh[i] = 1; lockName = i
           :: lockName != NONE -> goto openL
           :: lockName != NONE -> giveUp() fi }
guardOwn:                                        /* busy: a judge has it; the empty file is left to it */
    atomic { STEP(guardOwn);
        if :: BUSY_L(i) ->
#ifdef DEFECT_REMOVE_OWN_UNGUARDED
                goto removeOwn
#else
                giveUp()
#endif
           :: else -> onL[me] = i fi }
writeOwn:
    atomic { STEP(writeOwn); record[i] = NAMES(me); fresh[i] = 1; mustSettle = 1 }
#ifdef DEFECT_LATE_RECORD
    atomic { startHolding(f != NONE); goto held }
#else
    goto settle;
#endif
#ifdef DEFECT_REMOVE_OWN_UNGUARDED
removeOwn:                                       /* the same inode as created, so it is taken for ours still */
    atomic { if :: lockName == i -> removedByUs(NONE); assert(DEAD(record[i]) || record[i] == EMPTY || record[i] == NAMES(me));
                lockName = NONE :: else fi; giveUp() }
#endif
#else
    atomic { STEP(publish);
        if :: lockName == NONE ->
                i = LOCK_INODE(me, tries - 1); record[i] = NAMES(me); fresh[i] = 1; onL[me] = i; lockName = i;
#ifdef SETTLE_AFTER_PUBLISH
                mustSettle = 1; goto settle
#else
                if :: f == NONE -> goto recheckNoF :: else -> startHolding(true); goto held fi
#endif
           :: lockName != NONE
           :: lockName != NONE -> giveUp()
        fi }
#endif

    /* Step 4: guard the lock that is there. */
openL:
    atomic { STEP(openL); i = lockName;
        if :: i == NONE -> goto publish :: i == NONE -> giveUp() :: i != NONE fi }
guardL:
    atomic { STEP(guardL);
#ifdef NO_GUARD_ON_L
        if :: BUSY_L(i) -> giveUp() :: else fi            /* look, but keep nothing */
#else
        if :: BUSY_L(i) -> giveUp() :: else -> onL[me] = i fi
#endif
    }
recheckL:                                        /* the holder may have let go, and somebody published anew */
    atomic { STEP(recheckL);
#ifndef NO_RECHECK_L
        if :: lockName != i -> goto dropGuardL :: else fi
#endif
    }

    /* Step 5: judge. The guard is ours, so a record with the guard byte has no holder. */
judge:
    atomic { STEP(judge);
        if :: GUARDED(i) ->
#ifdef DEFECT_NO_SETTLE_AFTER_OURS
                mustSettle = 0
#else
#ifdef DEFECT_NO_SETTLE_AFTER_YOUNG
                mustSettle = !fresh[i]           /* "no peer can have thought a young record stale": wrong */
#else
                mustSettle = 1
#endif
#endif
           :: !GUARDED(i) && NAMES_PEER(record[i]) && !fresh[i] && DEAD(record[i]) -> mustSettle = 1
#ifdef FOREIGN
           :: !GUARDED(i) && NAMES_PEER(record[i]) && !fresh[i] && !DEAD(record[i]) -> mustSettle = 1
#endif
           :: record[i] == EMPTY && !fresh[i] -> mustSettle = 1
#if !defined(DEFECT_RENAME_ASIDE) && !defined(EXCHANGE)
                ; goto takeoverRecord            /* there is no timestamp to make young */
#endif
           :: else -> goto dropGuardL
        fi }

    /* Step 6: take over. */
#ifdef DEFECT_RENAME_ASIDE
takeoverAside:
    atomic { STEP(takeoverAside); aside = lockName; lockName = NONE }
takeoverCheck:
    atomic { STEP(takeoverCheck);
        if :: aside != i && aside != NONE -> if :: lockName == NONE -> lockName = aside :: else fi; goto dropGuardL
           :: else -> aside = NONE; goto publish fi }
#elif defined(EXCHANGE)
takeoverExchange:                                /* our file is complete and guarded before it goes in */
    atomic { STEP(takeoverExchange);
        if :: lockName == NONE -> goto dropGuardL
           :: else -> noteAside(); aside = lockName; onL2[me] = LOCK_INODE(me, tries - 1);
                record[LOCK_INODE(me, tries - 1)] = NAMES(me); fresh[LOCK_INODE(me, tries - 1)] = 1;
                lockName = LOCK_INODE(me, tries - 1) fi }
takeoverCheck:                                   /* what came out must be what was judged; else swap back */
    atomic { STEP(takeoverCheck);
        if :: aside == i -> i = LOCK_INODE(me, tries - 1); onL[me] = i; onL2[me] = NONE; aside = NONE
           :: else -> lockName = aside;          /* what stood there stays aside, if it is not ours */
                aside = NONE; onL2[me] = NONE; goto dropGuardL fi }
#else
takeoverTimestamp:                               /* first look alive; a death here leaves a good record, guarded */
    atomic { STEP(takeoverTimestamp); fresh[i] = 1;
#ifdef HAS_MARKS
        marked[i] = !NAMES_OURS(record[i]);
#endif
        skip }
takeoverRecord:
    atomic { STEP(takeoverRecord); record[i] = NAMES(me); fresh[i] = 1;
#ifdef HAS_MARKS
        marked[i] = 0;
#endif
        skip }
#endif
settle:
    if :: atomic { !mustSettle || SETTLED -> STEP(settle) }
#if CRASHES > 0 && defined(BOUNDED)
       :: atomic { crashesLeft > 0 -> crashesLeft--; goto killed }
#endif
    fi;
confirm:                                         /* else it may be ours again by now: give it up as a release does */
    atomic { STEP(confirm); mustSettle = 0;
#ifdef NO_CONFIRM_INODE
        if :: record[i] != NAMES(me) -> goto releaseValidate :: else fi;
#else
        if :: lockName != i || record[i] != NAMES(me) -> goto releaseValidate :: else fi;
#endif
        if :: f == NONE -> goto recheckNoF :: else -> startHolding(true); goto held fi }
recheckNoF:                                      /* an F that has come to be since is to be guarded: start over */
    atomic { STEP(recheckNoF);
        if :: dataName != NONE -> goto releaseValidate :: else -> startHolding(false) fi }

held:
    if
    :: goto validateL
    :: goto releaseValidate
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
    atomic { STEP(createF); if :: dataName == NONE -> dataName = CREATED(me) :: else fi; f = dataName };
    atomic { if :: BUSY_F(f) :: else -> onF[me] = f fi; goto validateL }
#else
    atomic { STEP(createF);
        if :: dataName == NONE -> f = CREATED(me); onF[me] = f; dataName = f; goto validateL
           :: else -> goto held fi }             /* EEXIST: another program's, or somebody has the lock */
#endif

#ifdef COMPACT
compactGuard:
    atomic { STEP(compactGuard); onF2[me] = COMPACTED(me) }
compactRename:
    atomic { STEP(compactRename); dataName = COMPACTED(me) }
compactDrop:
    atomic { STEP(compactDrop); f = COMPACTED(me); onF[me] = f; onF2[me] = NONE; goto validateL }
#endif

validateL:
    validateSteps();
validated:
    if :: goto held :: goto renew fi;
renew:                                           /* eight bytes through the held descriptor */
    atomic { STEP(renew);
#ifdef DEFECT_RENEW_BY_RENAME
        record[RENEWED(me)] = NAMES(me); fresh[RENEWED(me)] = 1; i = RENEWED(me); onL[me] = i; lockName = i
#else
        fresh[i] = 1
#endif
    };
    goto held;

#if HANDOVER
send:                                            /* from here on we hold nothing, but our copies stay open */
    atomic { STEP(send); stopHolding(); sent = 1; sentL = i; sentF = f;
        if :: alive[SUCCESSOR] -> onL[SUCCESSOR] = i; onF[SUCCESSOR] = f :: else fi }
awaitAnswer:
    if
    :: atomic { confirmed -> STEP(awaitAnswer); dropAllGuards(); goto finished }
    :: atomic { !confirmed && (refused || !alive[SUCCESSOR]) -> STEP(awaitAnswer) }
#ifdef DEFECT_RESUME_ON_TIMEOUT
    :: atomic { !confirmed -> STEP(awaitAnswer) }
#endif
#if CRASHES > 0
    :: atomic { crashesLeft > 0 -> crashesLeft--; goto killed }
#endif
    fi;
resumeTimestamp:
    atomic { STEP(resumeTimestamp); fresh[i] = 1 }
resumeRecord:
    atomic { STEP(resumeRecord); record[i] = NAMES(me); fresh[i] = 1 }
resumeSettle:
    if :: atomic { SETTLED -> STEP(resumeSettle) }
#if CRASHES > 0 && defined(BOUNDED)
       :: atomic { crashesLeft > 0 -> crashesLeft--; goto killed }
#endif
    fi;
resumeConfirm:
    atomic { STEP(resumeConfirm);
        if :: lockName != i || record[i] != NAMES(me) || (f != NONE && dataName != f) -> goto releaseValidate
           :: else -> startHolding(f != NONE); goto held fi }
#endif

releaseValidate:
    releaseSteps();
    if :: goto begin :: goto finished fi;

finished:
    skip;
killed:
    atomic { ENDS; alive[me] = 0; stopHolding(); dropAllGuards(); i = NONE; f = NONE; aside = NONE; tries = 0; ended++ }
}

#if HANDOVER
proctype Successor(byte me) {
    byte i = NONE, f = NONE, aside = NONE;

receive:
    if
    :: atomic { sent -> STEP(receive); i = sentL; f = sentF }
    :: atomic { !sent && ended == WRITERS + PEERS -> goto finished }
#if CRASHES > 0
    :: atomic { crashesLeft > 0 -> crashesLeft--; goto killed }
#endif
    fi;
adopt:                                           /* the descriptors must be L's and F's, as the paths say */
    atomic { STEP(adopt); if :: lockName == i && (f == NONE || dataName == f) :: else -> goto refuse fi }
adoptTimestamp:
    atomic { STEP(adoptTimestamp); fresh[i] = 1 }
adoptRecord:
    atomic { STEP(adoptRecord); record[i] = NAMES(me); fresh[i] = 1 }
adoptSettle:
    if :: atomic { SETTLED -> STEP(adoptSettle) }
#if CRASHES > 0 && defined(BOUNDED)
       :: atomic { crashesLeft > 0 -> crashesLeft--; goto killed }
#endif
    fi;
adoptValidate:
    atomic { STEP(adoptValidate);
        if :: lockName != i || record[i] != NAMES(me) || (f != NONE && dataName != f) -> goto refuse :: else fi }
adoptConfirm:
    atomic { STEP(adoptConfirm); confirmed = 1; startHolding(f != NONE) }
held:
    if :: goto validateL :: goto releaseValidate fi;
validateL:
    validateSteps();
validated:
    if :: goto held fi;

refuse:                                          /* the guards go before the socket */
    atomic { STEP(refuse); dropAllGuards() };
    atomic { STEP(refuse); refused = 1; goto finished };

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
    atomic { STEP(peerCreate);
        if :: lockName == NONE ->
                lockName = LOCK_INODE(me, attempt); record[lockName] = EMPTY; fresh[lockName] = 1;
                overtakeAll();
                goto peerWrite
           :: else -> if :: attempt == 1 -> goto finished :: else fi
        fi }
peerRead:
    atomic { STEP(peerRead);
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
    atomic { STEP(peerUnlink); closeWindow();
        if :: lockName != NONE && ((NAMES_PEER(record[lockName]) && !DEAD(record[lockName]))
                 || (record[lockName] == EMPTY && AUTHOR_LIVES(lockName) && lockName / TRIES >= WRITERS))
                 -> peerRobbedPeer = 1
           :: else fi;
        lockName = NONE; attempt = 1; goto peerCreate }
peerWrite:
    atomic { STEP(peerWrite); record[LOCK_INODE(me, attempt)] = NAMES(me); fresh[LOCK_INODE(me, attempt)] = 1 }
peerHold:
    atomic { STEP(peerHold); has = 1; peerHolders++;
        ASSERT_MIXED;
#if WRITERS == 0
        assert(peerHolders <= 1);
#endif
        skip }
peerReleaseCheck:
    atomic { STEP(peerReleaseCheck); peerHolders--; has = 0; forgetMe();
        if :: lockName != NONE && record[lockName] == NAMES(me) :: else -> goto finished fi }
peerReleaseUnlink:
    atomic { STEP(peerReleaseUnlink); lockName = NONE }
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
#ifdef REPLAY
    :: atomic { turn == OPERATOR -> turn = NONE; lockName = NONE }
#else
    :: atomic { n < RM && lockName != NONE -> lockName = NONE; n++ }
#ifdef REPLACE
    :: atomic { n < RM && lockName != NONE && lockName != MOVED_IN -> lockName = MOVED_IN; record[MOVED_IN] = DEAD_OURS;
         fresh[MOVED_IN] = 0; n++ }
#endif
#endif
    od
}
#endif

#ifdef F_APPEARS
proctype Outsider() {
end:
#ifdef REPLAY
    atomic { turn == OUTSIDER -> turn = NONE; dataName = STRANGE_DATA }
#else
    atomic { dataName == NONE -> dataName = STRANGE_DATA }
#endif
}
#endif

/* P6: once all have ended, a late comer finds every guard free, and a record that it may judge stale in time. */
proctype LateComer() {
    byte p = 0;
    atomic { ended == PROCESSES ->
        do :: p < PROCESSES -> assert(onL[p] == NONE && onF[p] == NONE); p++ :: else -> break od;
        if :: lockName != NONE -> assert(DEAD(record[lockName]) || record[lockName] == EMPTY) :: else fi }
}

#ifdef REPLAY
/* Says whose step is due, once the world is as it was in the recorded run: rec_next compares. NONE ends the replay. */
proctype Recording() {
end:
    do :: atomic { turn == NONE -> c_code { rec_next(); } } od
}
#endif

init {
    byte p = 0;
    atomic {
        do :: p < PROCESSES -> alive[p] = 1; p++ :: else -> break od;
#ifdef REPLAY
        do :: recording < RECORDINGS - 1 -> recording++ :: break od;
        c_code { rec_begin(); };
        run Recording();
#endif
#ifndef F_ABSENT
        dataName = OLD_DATA;
#endif
#ifndef REPLAY
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
#endif
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
#ifndef REPLAY
        run LateComer();
#endif
        p = 0
    }
}
