import RVFHost
import SystemPackage

/// Containers, users and clocks: what one kernel, or one file, looks like from several sides.
extension LockScenarios {
    private typealias Act = LockActors

    // MARK: Names and process ids

    /// Two containers on one kernel, each with process ids of its own.
    private static func containers(
        _ beginning: Scene.Beginning, meaning: GuardMeaning = .coherent, areNamesakes: Bool = true, budget: Budget
    ) -> WorldState {
        var state = Scene.state(beginning, meaning: meaning, budget: budget)
        if areNamesakes { state.machines[1].name = state.machines[0].name }
        return state
    }

    static var namespaces: [Scenario] {
        // Each is the first process of its container, as after a restart.
        let first = [Act.writer("A", processID: 1), Act.writer("B", machine: 1, processID: 1)]
        return [
            Scenario(
                "two containers of one name, both process 1, and a kill", containers(.deadGuarded, budget: Budget(kills: 1)),
                first),
            Scenario(
                "two containers, both process 1, and a kill",
                containers(.oldPeer, areNamesakes: false, budget: Budget(kills: 1)), first),
            Scenario(
                "two containers of one name on a layered file system and a kill",
                containers(.oldPeer, meaning: .layered, budget: Budget(kills: 1)), first, endsWell: .inTheEnd),
            Scenario(
                "a name from the environment, and a dead process's id that is a thread's", environmentName,
                [Act.writer("A"), Act.writer("B", machine: 1), Act.peer("peer")], endsWell: .inTheEnd),
            Scenario(
                // Ten seconds after a renewal its timestamp, which keeps the checksum, is up to 18.6 s old.
                "two hosts of one name, and a holder that renews", sameNames(acts: [.passTime(seconds: 11)]), renewing,
                endsWell: .inTheEnd),
            Scenario(
                "two hosts of one name, and a holder that renews too late, and it is noticed",
                sameNames(acts: [.passTime(seconds: 25)]), renewing, invariants: [], endsWell: .inTheEnd),
        ]
    }

    static var renewing: [World.Actor] {
        [
            Act.writer("A", work: .holdAndCommit(intervals: 3), isPrompt: true), Act.writer("B", machine: 1, isPrompt: true),
        ]
    }

    /// Two shells on one machine, one of which has another `HOSTNAME`.
    private static var environmentName: WorldState {
        var state = Scene.state(.oldPeer, meaning: .layered, budget: Budget(kills: 1, preemptions: 2), hasPrivateNaps: false)
        state.machines[1] = state.machines[0]
        state.machines[1].idSpace = 0
        state.machines[1].variableName = "web"
        state.threads = [9]
        return state
    }

    // MARK: Permissions

    /// A lock that another user left, and that only this one may write; everybody may write the protected file.
    static func othersLock(
        isSticky: Bool = false, refusals: Refusals = Refusals(), hasPrivateNaps: Bool = true, budget: Budget
    ) -> WorldState {
        var state = Scene.state(.oldPeer, budget: budget, hasPrivateNaps: hasPrivateNaps)
        state.files.refusals = refusals
        if let data = state.dataInode { state.files.setPermissions(data, 0o666) }
        if let lock = state.lockInode { state.files.setOwner(lock, 1001) }
        if isSticky { state.files.setPermissions(state.sceneDirectory, 0o1777) }
        return state
    }

    private static func refusing(
        _ beginning: Scene.Beginning, _ refusals: Refusals, hasPrivateNaps: Bool = true, budget: Budget
    ) -> WorldState {
        var state = Scene.state(beginning, hasUnnamedFiles: false, budget: budget, hasPrivateNaps: hasPrivateNaps)
        state.files.refusals = refusals
        return state
    }

    static var permissions: [Scenario] {
        let pair = [Act.writer("A"), Act.writer("B", userID: 1002)]
        let same = [Act.writer("A"), Act.writer("B")]
        let kill = Budget(kills: 1)
        let noRename = Refusals(exclusiveRename: .invalidArgument, exchange: .invalidArgument)
        let nothing = Refusals(exclusiveRename: .invalidArgument, exchange: .invalidArgument, link: .notSupported)
        return [
            Scenario(
                "another user's stale lock, two users and a kill", othersLock(budget: kill), pair,
                endsWell: .inTheEnd),
            Scenario(
                "another user's stale lock and a naive peer", othersLock(hasPrivateNaps: false, budget: Budget()), [Act.writer("A"), Act.peer("peer")],
                endsWell: .inTheEnd),
            Scenario(
                "another user's stale lock in a sticky directory", othersLock(isSticky: true, budget: kill), pair,
                endsWell: .refused, followsModel: false),
            Scenario(
                "another user's stale lock, and no exchange", othersLock(refusals: noRename, budget: kill), pair,
                endsWell: .refused, followsModel: false),
            Scenario(
                "a directory in which nothing can be made",
                refusing(.oldPeer, Refusals(entries: .permissionDenied), budget: kill), same, endsWell: .refused, followsModel: false),
            Scenario(
                "a file system that is read only", refusing(.noLock, Refusals(entries: .readOnlyFileSystem), budget: kill),
                same, endsWell: .refused, followsModel: false),
            Scenario("two writers with hard links only", refusing(.noLock, noRename, budget: kill), same, endsWell: .inTheEnd),
            Scenario(
                "two writers with exclusive creation only", refusing(.noLock, nothing, budget: kill), same,
                invariants: [.exclusion], endsWell: .inTheEnd),
            Scenario(
                "a writer with exclusive creation only, and a naive peer", refusing(.oldPeer, nothing, hasPrivateNaps: false, budget: Budget()),
                [Act.writer("A"), Act.peer("peer")], invariants: [.exclusion, .peersUnharmed], endsWell: .inTheEnd),
        ]
    }

    // MARK: Clocks and failures

    static var clocks: [Scenario] {
        let holder = Act.writer("A", work: .holdAndCommit(intervals: 2))
        func frozen(_ seconds: Int64) -> Budget { Budget(acts: [.freeze(process: 0, seconds: seconds)]) }
        var failures = Budget()
        failures.errors = 1
        failures.errorCodes = [.noSpace, .diskQuotaExceeded]
        var stale = Budget()
        stale.errors = 1
        stale.errorCodes = [.staleNFSFileHandle]
        return [
            Scenario(
                "a holder is stopped for 40 s beside another writer", Scene.state(.noLock, budget: frozen(40)),
                [holder, Act.writer("B", rounds: 2)], followsModel: false),
            Scenario(
                "a holder is stopped for 40 s beside a naive peer of its name, and it is noticed",
                containers(.noLock, budget: frozen(40)), [holder, Act.peer("peer", machine: 1)], invariants: [],
                endsWell: .inTheEnd, followsModel: false),
            Scenario(
                "a holder is stopped for 310 s beside a naive peer of another name, and it is noticed",
                Scene.state(.noLock, budget: frozen(310)), [holder, Act.peer("peer", machine: 1)], invariants: [],
                endsWell: .inTheEnd, followsModel: false),
            Scenario(
                "a host of a server sleeps for 310 s, its clocks are others, and it is noticed", sleepingHost,
                [
                    Act.writer("A", work: .holdAndCommit(intervals: 1), isPrompt: true),
                    Act.writer("B", machine: 1, isPrompt: true),
                ], invariants: [], endsWell: .inTheEnd),
            Scenario(
                "the protected file is replaced and made anew, and it is noticed",
                Scene.state(.noLock, budget: Budget(acts: [.replaceData, .recreateData])),
                [Act.writer("A", work: .waitAndCommit(seconds: 1))], invariants: [], endsWell: .inTheEnd),
            Scenario(
                "space or quota is short", Scene.state(.oldPeer, hasUnnamedFiles: false, budget: failures),
                [Act.writer("A"), Act.writer("B")], invariants: [.exclusion, .peersUnharmed], endsWell: .inTheEnd, followsModel: false),
            Scenario(
                "a server's file handle is stale", Scene.remote(.oldPeer, budget: stale),
                [Act.writer("A", isPrompt: true), Act.writer("B", machine: 1, isPrompt: true)],
                invariants: [.exclusion, .peersUnharmed], endsWell: .inTheEnd),
        ]
    }

    private static var sleepingHost: WorldState {
        var budget = Budget(acts: [.suspend(machine: 0, seconds: 310)])
        budget.cachedLooks = 1
        var state = Scene.remote(.noLock, budget: budget)
        state.machines[1].wallClockOffsetNanoseconds += 7_000_000_000
        state.machines[1].bootClockOffsetNanoseconds = 5_000_000_000_000
        return state
    }
}
