import RVFHost
import SystemPackage

/// Machines that share a file system through a network, where no kernel lock is taken and only the record counts.
///
/// What is promised there rests on promptness (nobody takes more than the 5 s of settling from his look at a stale lock to
/// the sync of what he writes over it) and on what an open shows. Beyond that a holder that is robbed learns it when it
/// validates, before its commit.
extension LockScenarios {
    private typealias Act = LockActors

    /// - Parameter cachedLooks: how often a cache may show what is over.
    private static func budget(
        kills: Int = 0, cachedLooks: Int? = 2, preemptions: Int? = nil, acts: [WorldAct] = []
    ) -> Budget {
        var budget = Budget(kills: kills, preemptions: preemptions, acts: acts)
        budget.cachedLooks = cachedLooks
        return budget
    }

    private static func writer(
        _ name: String, _ machine: Int, _ work: Act.Work = .commit, rounds: Int = 1, isPrompt: Bool = true
    ) -> World.Actor {
        Act.writer(name, machine: machine, work: work, rounds: rounds, isPrompt: isPrompt)
    }

    private static var pair: [World.Actor] { [writer("A", 0), writer("B", 1)] }

    /// What they see stays in their machines' caches.
    private static var onlookers: [World.Actor] {
        [Act.onlooker("onlooker on A's host"), Act.onlooker("onlooker on B's host", machine: 1)]
    }

    static var remote: [Scenario] { remoteWriters + remotePeers + lostReplies + remoteLosses }

    private static var remoteWriters: [Scenario] {
        [Scene.Beginning.noLock, .oldPeer, .oldEmpty, .oldOtherHost].map { beginning in
            Scenario(
                "two hosts of a server and a kill, from \(beginning)",
                Scene.remote(beginning, budget: budget(kills: 1, acts: [.passTime(seconds: 1)])), pair, endsWell: .inTheEnd)
        } + [
            Scenario(
                "two hosts of a server without hard links", Scene.remote(.noLock, hasLinks: false, budget: budget(kills: 1)),
                pair, invariants: [.exclusion], endsWell: .inTheEnd),
            Scenario(
                "two hosts of a server, onlookers on both, at most 3 preemptions",
                Scene.remote(.oldPeer, budget: budget(preemptions: 3, acts: [.passTime(seconds: 2)])), pair + onlookers,
                endsWell: .inTheEnd),
            Scenario(
                "two hosts whose caches go by time, one second, and onlookers on both, at most 3 preemptions",
                Scene.remote(
                    .oldPeer, RemoteCaching(seconds: 1, isCloseToOpen: false),
                    budget: budget(cachedLooks: nil, preemptions: 3, acts: [.passTime(seconds: 1)])), pair + onlookers,
                endsWell: .inTheEnd),
            Scenario("two hosts of a slow server and a kill", slowServer(budget(kills: 1)), pair, endsWell: .inTheEnd),
            Scenario(
                "three hosts of a server and a kill, at most 2 preemptions",
                Scene.remote(.oldPeer, budget: budget(kills: 1, cachedLooks: 1, preemptions: 2)),
                pair + [writer("C", 2)], endsWell: .inTheEnd),
        ]
    }

    /// A call takes longer than the short settling has time for.
    private static func slowServer(_ budget: Budget) -> WorldState {
        var state = Scene.remote(.oldPeer, budget: budget)
        state.remote?.callNanoseconds = 60_000_000
        return state
    }

    private static var remotePeers: [Scenario] {
        [
            Scenario(
                "a host of a server and a naive peer on another", Scene.remote(.oldPeer, budget: budget()),
                [writer("A", 0), Act.peer("peer", machine: 1)], endsWell: .inTheEnd),
            Scenario(
                "a lock file on a server is renamed beside a naive peer",
                Scene.remote(.noLock, .nfs4, budget: budget(cachedLooks: nil, acts: [.moveLock])), besideMove, invariants: [.peersUnharmed],
                endsWell: .unasked),
        ]
    }

    private static var besideMove: [World.Actor] {
        [writer("A", 0), Act.peer("peer", machine: 1, holdSeconds: 1)]
    }

    private static var lostReplies: [Scenario] {
        var one = budget(cachedLooks: 1)
        one.lostReplies = 1
        return [
            Scenario(
                "a server's reply is lost", Scene.remote(.noLock, budget: one), pair, endsWell: .inTheEnd),
            Scenario(
                "a server's reply is lost in an exclusive create", Scene.remote(.noLock, hasLinks: false, budget: one), pair,
                invariants: [.exclusion], endsWell: .inTheEnd),
        ]
    }

    /// Exclusion cannot be had here. Who loses the lock notices it before the commit.
    private static var remoteLosses: [Scenario] {
        let slow = [writer("A", 0, isPrompt: false), writer("B", 1, isPrompt: false)]
        return [
            Scenario(
                "slow hosts of a server notice a loss", Scene.remote(.oldPeer, budget: budget(kills: 1)), slow,
                invariants: [.peersUnharmed], endsWell: .inTheEnd),
            Scenario(
                "files on a server are removed and replaced, and it is noticed",
                Scene.remote(.noLock, budget: budget(acts: [.removeLock, .replaceData])), [working[0]], invariants: [],
                endsWell: .inTheEnd),
            Scenario(
                "files on a server are removed and replaced beside another writer, and it is noticed",
                Scene.remote(.noLock, budget: budget(acts: [.removeLock, .replaceData])), working, invariants: [],
                endsWell: .inTheEnd),
            Scenario(
                "a host's clock is 400 s ahead, and it is noticed", ahead(budget()),
                [writer("A", 0, .waitAndCommit(seconds: 60)), writer("B", 1)], invariants: [], endsWell: .inTheEnd),
        ]
    }

    /// They take their time between the acquisition and the commit.
    private static var working: [World.Actor] {
        [writer("A", 0, .waitAndCommit(seconds: 1)), writer("B", 1, .waitAndCommit(seconds: 1))]
    }

    private static func ahead(_ budget: Budget) -> WorldState {
        var state = Scene.remote(.noLock, budget: budget)
        state.machines[1].wallClockOffsetNanoseconds += 400_000_000_000
        return state
    }

    // MARK: At random

    static var randomRemote: [Scenario] {
        var everything = budget(kills: 2, cachedLooks: nil, acts: [.passTime(seconds: 1), .stepClock(machine: 1, seconds: 100)])
        everything.lostReplies = 1
        everything.errors = 1
        everything.errorCodes = [.ioError, .staleNFSFileHandle, .noSpace]
        return [
            Scenario(
                "three hosts of a server and all accidents", Scene.remote(.oldPeer, budget: everything),
                (0..<3).map { writer("writer \($0 + 1)", $0, rounds: 2) } + onlookers, invariants: [.exclusion],
                endsWell: .inTheEnd),
            Scenario(
                "hosts whose caches go by time, one second",
                Scene.remote(
                    .oldPeer, RemoteCaching(seconds: 1, isCloseToOpen: false),
                    budget: budget(cachedLooks: nil, acts: [.passTime(seconds: 2)])), pair + onlookers,
                endsWell: .inTheEnd),
        ]
    }

    // MARK: Limits

    /// What cannot be promised, mostly on a server's files. Each has to be found: a promise that is kept beyond what is said would
    /// be a limit that is said wrongly.
    package static var limits: [Scenario] {
        func byTime(_ seconds: Int64) -> RemoteCaching { RemoteCaching(seconds: seconds, isCloseToOpen: false) }
        return [
            Scenario(
                "limit: a host that stalls longer than the settling after its look at a stale lock",
                Scene.remote(.oldPeer, budget: budget(cachedLooks: 0)),
                [writer("A", 0, isPrompt: false), writer("B", 1, isPrompt: false)], endsWell: .unasked),
            Scenario(
                "limit: caches that go by time, three seconds", Scene.remote(
                    .oldPeer, byTime(3), budget: budget(cachedLooks: nil, preemptions: 5, acts: [.passTime(seconds: 2)])),
                pair + onlookers, endsWell: .unasked),
            Scenario(
                "limit: caches that go by time, a minute, hide a loss from its holder",
                Scene.remote(.noLock, byTime(60), budget: budget(acts: [.replaceData])), working, invariants: [],
                endsWell: .unasked),
            Scenario(
                "limit: a clock that is 400 s ahead", ahead(budget(cachedLooks: 0)),
                [writer("A", 0, .waitAndCommit(seconds: 60)), writer("B", 1)], endsWell: .unasked),
            Scenario(
                "limit: somebody deletes a lock file on a server",
                Scene.remote(.noLock, budget: budget(cachedLooks: 0, acts: [.removeLock])), pair, endsWell: .unasked),
            Scenario(
                "limit: a lock file is renamed on a server of version 3, and replaced as it is given back",
                Scene.remote(.noLock, budget: budget(cachedLooks: nil, acts: [.moveLock])), besideMove, invariants: [.peersUnharmed],
                endsWell: .unasked),
            Scenario(
                "limit: a protected file on a server is made anew with the same inode number",
                Scene.remote(.noLock, budget: budget(cachedLooks: 0, acts: [.recreateData])), [working[0]], invariants: [],
                endsWell: .unasked),
            Scenario(
                "limit: two hosts of one name, and a holder that does not renew for half a minute",
                sameNames(acts: [.passTime(seconds: 31)]), [writer("A", 0, .waitAndCommit(seconds: 60)), writer("B", 1)],
                endsWell: .unasked),
            Scenario(
                "limit: a renewal reaches the server after its lock was taken over, and the new record is not whole",
                sameNames(preemptions: 2, acts: [.passTime(seconds: 25)]), renewing, endsWell: .unasked),
            Scenario(
                "limit: a naive peer that takes longer than the settling from its look at a stale lock to its removal",
                Scene.state(.oldPeer, hasPrivateNaps: false), [Act.writer("A"), Act.peer("peer", isPrompt: false)],
                endsWell: .unasked),
        ]
    }

    static func sameNames(preemptions: Int? = nil, acts: [WorldAct]) -> WorldState {
        var state = Scene.remote(.noLock, budget: budget(cachedLooks: 0, preemptions: preemptions, acts: acts))
        state.machines[1].name = state.machines[0].name
        return state
    }

    // MARK: Defects

    static func revealingRemotely(_ defect: Defect) -> Scenario {
        func writer(_ name: String, _ machine: Int, _ work: Act.Work = .commit) -> World.Actor {
            Act.writer(name, machine: machine, work: work, defect: defect, isPrompt: true)
        }
        let pair = [writer("A", 0), writer("B", 1)]
        switch defect {
        case .noLookAtDirectory:
            return Scenario(
                "\(defect)", Scene.remote(.noLock, budget: budget(acts: [.replaceData])),
                [writer("A", 0, .waitAndCommit(seconds: 1))], invariants: [], endsWell: .unasked)
        case .shortSettleOnServer:
            return Scenario("\(defect)", slowServer(budget(cachedLooks: 0)), pair, endsWell: .unasked)
        default:
            return Scenario("\(defect)", Scene.remote(.oldPeer, budget: budget()), pair, endsWell: .unasked)
        }
    }
}
