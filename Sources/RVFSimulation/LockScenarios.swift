import RVFHost

/// The worlds in which the lock is tried.
package enum LockScenarios {
    package enum Setting: Sendable {
        /// Minutes.
        case short
        /// As long as it takes.
        case long
    }

    private typealias Act = LockActors

    /// To be run through every order of their steps.
    package static func exhaustive(_ setting: Setting) -> [Scenario] {
        twoWriters + creators + withPeers + withAccidents + handOvers + remote + namespaces + permissions + clocks
            + threeWriters(setting)
    }

    /// Two of ours without a bound on their interleaving, one of which may be killed at any step.
    private static var twoWriters: [Scenario] {
        Scene.Beginning.allCases.map { beginning in
            Scenario(
                "two writers and a kill, from \(beginning)", Scene.state(beginning, budget: Budget(kills: 1)),
                [Act.writer("A"), Act.writer("B")])
        } + [
            Scenario(
                "two writers and two kills", Scene.state(.noLock, budget: Budget(kills: 2)),
                [Act.writer("A"), Act.writer("B")]),
            Scenario(
                "two writers that renew", Scene.state(.noLock, budget: Budget(kills: 1)),
                [Act.writer("A", work: .renewAndCommit), Act.writer("B", work: .renewAndCommit)]),
            Scenario(
                "two writers, two rounds each", Scene.state(.noLock),
                [Act.writer("A", rounds: 2), Act.writer("B", rounds: 2)]),
            Scenario(
                "two writers without unnamed files", Scene.state(.noLock, hasUnnamedFiles: false, budget: Budget(kills: 1)),
                [Act.writer("A"), Act.writer("B")]),
            Scenario(
                "two writers where no file gets a name without replacing",
                Scene.state(
                    .noLock, hasUnnamedFiles: false, namesExclusively: false, budget: Budget(kills: 1, preemptions: 3)),
                // A lock file is created empty there, as naive peers do it, and a killed maker leaves it so.
                [Act.writer("A"), Act.writer("B")], invariants: [.exclusion, .peersUnharmed], endsWell: .inTheEnd),
            Scenario(
                "two writers on a layered file system", Scene.state(.noLock, meaning: .layered),
                [Act.writer("A"), Act.writer("B")]),
        ]
    }

    /// While there is no protected file, all rests on the lock file.
    private static var creators: [Scenario] {
        [
            Scenario(
                "a creator and a writer", Scene.state(.noLock, hasData: false, budget: Budget(kills: 1)),
                [Act.writer("A", work: .createData), Act.writer("B")]),
            Scenario(
                "two creators", Scene.state(.noLock, hasData: false, budget: Budget(kills: 1)),
                [Act.writer("A", work: .createData), Act.writer("B", work: .createData)]),
            Scenario(
                "a creator and a writer, from a stale lock",
                Scene.state(.oldDeadGuarded, hasData: false, budget: Budget(kills: 1)),
                [Act.writer("A", work: .createData), Act.writer("B")]),
            Scenario(
                "a compaction and a writer", Scene.state(.noLock, budget: Budget(kills: 1)),
                [Act.writer("A", work: .replaceData), Act.writer("B")]),
        ]
    }

    /// Ours beside naive peers, which take up to a tenth of a second from a look to what they do upon it.
    private static var withPeers: [Scenario] {
        Scene.Beginning.allCases.map { beginning in
            Scenario(
                "a writer and a naive peer, from \(beginning)", Scene.state(beginning, hasPrivateNaps: false),
                [Act.writer("A"), Act.peer("peer")], endsWell: .inTheEnd)
        } + [
            Scenario(
                "two writers and a naive peer", Scene.state(.noLock, budget: Budget(preemptions: 3), hasPrivateNaps: false),
                [Act.writer("A"), Act.writer("B"), Act.peer("peer")], endsWell: .inTheEnd),
            Scenario(
                "a writer and a naive peer that keeps its lock for a minute", Scene.state(.noLock, hasPrivateNaps: false),
                [Act.writer("A", rounds: 2), Act.peer("peer", holdSeconds: 60)], endsWell: .inTheEnd),
        ]
    }

    /// Whatever people and machines do besides.
    private static var withAccidents: [Scenario] {
        let pair = [Act.writer("A"), Act.writer("B")]
        func budget(_ acts: [WorldAct], kills: Int = 1) -> Budget { Budget(kills: kills, acts: acts) }
        return [
            Scenario("somebody deletes the lock file", Scene.state(.noLock, budget: budget([.removeLock])), pair),
            Scenario(
                "somebody deletes a stale lock file", Scene.state(.oldDeadGuarded, budget: budget([.removeLock])), pair),
            Scenario(
                "somebody copies over the lock file", Scene.state(.noLock, budget: budget([.overwriteLock], kills: 0)),
                pair, invariants: [.exclusion], endsWell: .inTheEnd),
            Scenario(
                "somebody makes the protected file",
                Scene.state(.noLock, hasData: false, budget: budget([.makeData])),
                [Act.writer("A"), Act.writer("B", work: .createData)]),
            Scenario(
                "the clock steps forward",
                Scene.state(.noLock, budget: budget([.stepClock(machine: 0, seconds: 3600)])), pair),
            Scenario(
                "the clock steps back", Scene.state(.deadGuarded, budget: budget([.stepClock(machine: 0, seconds: -3600)])),
                pair),
            Scenario(
                "a process id is used again", Scene.state(.noLock, budget: budget([.reuseProcessID])), pair),
            Scenario(
                "a judge that is frozen while the record grows old, and a naive peer",
                Scene.state(
                    .deadGuarded, budget: Budget(preemptions: 3, acts: [.passTime(seconds: 40)]), hasPrivateNaps: false),
                [Act.writer("A"), Act.peer("peer")], endsWell: .inTheEnd),
            Scenario(
                "all are frozen for an hour", Scene.state(.noLock, budget: budget([.passTime(seconds: 3600)])), pair),
            Scenario(
                "a call fails", Scene.state(.noLock, budget: Budget(errors: 1)), pair, endsWell: .inTheEnd),
            Scenario(
                "a call fails in a take-over", Scene.state(.oldPeer, budget: Budget(errors: 1)), pair,
                invariants: [.exclusion, .peersUnharmed], endsWell: .inTheEnd),
        ]
    }

    private static func threeWriters(_ setting: Setting) -> [Scenario] {
        let preemptions = setting == .long ? 3 : 2
        let beginnings = setting == .long ? Scene.Beginning.allCases : [.noLock, .oldDeadGuarded, .oldPeer]
        return beginnings.map { beginning in
            Scenario(
                "three writers and a kill, from \(beginning), at most \(preemptions) preemptions",
                Scene.state(beginning, budget: Budget(kills: 1, preemptions: preemptions)),
                [Act.writer("A"), Act.writer("B"), Act.writer("C")])
        }
    }

    /// To be run in random order: everything at once.
    package static var random: [Scenario] {
        let everything = Budget(
            kills: 2, errors: 1,
            acts: [.removeLock, .stepClock(machine: 0, seconds: 3600), .reuseProcessID, .passTime(seconds: 40)])
        let ours = (0..<4).map { LockActors.writer("writer \($0 + 1)", work: $0 == 1 ? .renewAndCommit : .commit, rounds: 4) }
        return [
            Scenario(
                "four writers and all accidents", Scene.state(.oldDeadGuarded, budget: everything), ours,
                endsWell: .inTheEnd),
            Scenario(
                "writers where no file gets a name without replacing, and no protected file",
                Scene.state(.noLock, hasData: false, hasUnnamedFiles: false, namesExclusively: false),
                Array(ours.prefix(2)), invariants: [.exclusion], endsWell: .inTheEnd),
            Scenario(
                "compactions among writers", Scene.state(.noLock, budget: Budget(kills: 2)),
                ours + [LockActors.writer("compaction", work: .replaceData, rounds: 3)], endsWell: .inTheEnd),
            Scenario(
                "writers and a naive peer", Scene.state(.oldPeer, hasPrivateNaps: false),
                Array(ours.prefix(3)) + [LockActors.peer("peer", holdSeconds: 1)], endsWell: .inTheEnd),
        ] + randomRemote
    }

    /// To be taken again in the model, which knows no naive peers' patience, no clocks and no failing calls.
    package static var recorded: [Scenario] {
        let removal = Budget(kills: 1, acts: [.removeLock])
        let three = [Act.writer("A"), Act.writer("B"), Act.writer("C")]
        // On a layered file system a free guard proves nothing, which the model does not have.
        return twoWriters.filter { $0.state.files.type.guardMeaning == .coherent } + creators + [
            Scenario(
                "three writers, a kill and a removal", Scene.state(.noLock, budget: removal),
                [Act.writer("A", rounds: 2), Act.writer("B"), Act.writer("C", work: .renewAndCommit)]),
            Scenario("three writers, from a peer's lock", Scene.state(.oldPeer, budget: Budget(kills: 2)), three),
            Scenario(
                "three writers without a protected file", Scene.state(.oldDeadGuarded, hasData: false, budget: removal),
                [Act.writer("A", work: .createData), Act.writer("B"), Act.writer("C", work: .createData)]),
            Scenario(
                "a compaction, writers and a removal", Scene.state(.noLock, budget: removal),
                [Act.writer("A", work: .replaceData), Act.writer("B", rounds: 2), Act.writer("C")]),
            Scenario(
                "writers, and somebody who makes the protected file and removes the lock file",
                Scene.state(.noLock, hasData: false, budget: Budget(kills: 1, acts: [.makeData, .removeLock])),
                [Act.writer("A", rounds: 2), Act.writer("B", work: .createData)]),
            Scenario(
                "writers, another user's lock and a removal", Scene.state(.oldOtherUser, budget: removal),
                [Act.writer("A"), Act.writer("B")]),
            Scenario(
                "writers without a protected file, where no file gets a name without replacing",
                Scene.state(
                    .noLock, hasData: false, hasUnnamedFiles: false, namesExclusively: false, budget: Budget(kills: 1)),
                [Act.writer("A"), Act.writer("B", rounds: 2)],
                invariants: [.exclusion, .peersUnharmed], endsWell: .inTheEnd),
        ]
    }

    /// In which the code comes to every step of the model.
    package static var coveringTheModel: [Scenario] {
        recorded + handOvers + [
            Scenario(
                "writers, another user's lock and a naive peer", Scene.state(.oldOtherUser, hasPrivateNaps: false),
                [Act.writer("A"), Act.writer("B"), Act.peer("peer")], endsWell: .inTheEnd),
            Scenario(
                "writers and a naive peer, from a peer's lock", Scene.state(.oldPeer, hasPrivateNaps: false),
                [Act.writer("A"), Act.writer("B", rounds: 2), Act.peer("peer")], endsWell: .inTheEnd),
        ]
    }

    // MARK: Defects

    /// For each defect a world in which it shows.
    package static func revealing(_ defect: Defect) -> Scenario {
        func writer(_ name: String, _ work: LockActors.Work = .commit) -> World.Actor {
            Act.writer(name, work: work, defect: defect)
        }
        let pair = [writer("A"), writer("B")]
        let name = "\(defect)"
        switch defect {
        case .noGuardOnLockFile, .ignoresBusyGuard:
            return Scenario(name, Scene.state(.noLock, hasData: false), pair)
        case .noGuardOnProtectedFile:
            return Scenario(name, Scene.state(.noLock, budget: Budget(acts: [.removeLock])), pair)
        case .noSettle:
            return Scenario(name, Scene.state(.oldPeer, hasPrivateNaps: false), [writer("A"), Act.peer("peer")], endsWell: .inTheEnd)
        case .noLockFileRecheck:
            return Scenario(
                name, Scene.state(.deadGuarded, hasData: false, budget: Budget(preemptions: 2)),
                [writer("A"), Act.writer("B", rounds: 2)], invariants: [.exclusion], endsWell: .unasked)
        case .noProtectedFileRecheck:
            return Scenario(
                name, Scene.state(.noLock, budget: Budget(preemptions: 2, acts: [.removeLock])),
                [writer("B"), Act.writer("A", work: .replaceData), Act.writer("C")], invariants: [.exclusion],
                endsWell: .unasked)
        case .publishesOverOthers, .publishesBeforeGuard:
            return Scenario(name, Scene.state(.noLock, hasData: false), pair)
        case .publishesBeforeRecord:
            return Scenario(
                name, Scene.state(.noLock, hasPrivateNaps: false), [writer("A"), Act.peer("peer")], endsWell: .inTheEnd)
        case .unlinksToTakeOver:
            return Scenario(name, Scene.state(.oldPeer, hasPrivateNaps: false), [writer("A"), Act.peer("peer")], endsWell: .inTheEnd)
        case .renewsByRename:
            return Scenario(
                name, Scene.state(.noLock, budget: Budget(acts: [.removeLock])),
                [writer("A", .renewAndCommit), Act.peer("peer")], invariants: [.peersUnharmed], endsWell: .unasked)
        case .removesWithoutLook, .removesInPlace:
            return Scenario(
                name, Scene.state(.noLock, budget: Budget(acts: [.removeLock])), [writer("A"), Act.peer("peer")],
                invariants: [.peersUnharmed], endsWell: .unasked)
        case .validatesFromMemory:
            return Scenario(
                name, Scene.state(.noLock, budget: Budget(acts: [.overwriteLock])),
                [writer("A", .waitAndCommit(seconds: 1))], invariants: [], endsWell: .unasked)
        case .takesLiveForDead, .clockIsAhead:
            return Scenario(
                name, Scene.state(.noLock),
                [writer("A", .commit), Act.peer("peer", machine: defect == .clockIsAhead ? 1 : 0, holdSeconds: 60)]
                    + (defect == .clockIsAhead ? [] : [writer("B", .commit)]), endsWell: .unasked)
        case .omitsGuardByte:
            return Scenario(name, Scene.state(.noLock, budget: Budget(kills: 1)), [writer("A")])
        case .resumesOnTimeout, .unlocksBeforeClosing:
            return revealingInHandOver(defect)
        case .noSyncToServer, .shortSettleOnServer, .noLookAtOpening, .noLookAtDirectory:
            return revealingRemotely(defect)
        case .exchangesWithoutLook:
            return Scenario(
                name, othersLock(hasPrivateNaps: false, budget: Budget()), [writer("A"), Act.peer("peer", holdSeconds: 1)],
                invariants: [.peersUnharmed], endsWell: .unasked)
        case .leavesPrivateFiles:
            return Scenario(name, Scene.state(.noLock), [writer("A")])
        }
    }
}
