import SystemPackage

extension LockScenarios {
    /// One process hands the lock over to another, others want it meanwhile, and any of them is killed at any step.
    static var handOvers: [Scenario] {
        typealias Act = LockActors
        func pair(_ work: Act.Work = .commit, protecting path: FilePath = Scene.data) -> [World.Actor] {
            [Act.predecessor("A", successor: 1, work: work), Act.successor("B", protecting: path)]
        }
        return [
            Scenario("a hand-over and two kills", state(budget: Budget(kills: 2)), pair()),
            Scenario(
                "a hand-over without a protected file", state(hasData: false, budget: Budget(kills: 1)), pair()),
            Scenario(
                "a hand-over of a file just made, and a writer, at most 2 preemptions",
                state(hasData: false, budget: Budget(kills: 1, preemptions: 2)), pair(.createData) + [Act.writer("C")]),
            Scenario(
                "a hand-over and a writer, at most 3 preemptions", state(budget: Budget(kills: 1, preemptions: 3)),
                pair() + [Act.writer("C")]),
            Scenario(
                "a hand-over, and somebody deletes the lock file", state(budget: Budget(kills: 1, acts: [.removeLock])),
                pair()),
            Scenario(
                "a hand-over that is refused", state(budget: Budget(kills: 1)), pair(protecting: "/d/other.rvf")),
            Scenario(
                "a hand-over in which a call fails", state(budget: Budget(errors: 1)), pair(), endsWell: .inTheEnd),
            Scenario(
                "a hand-over beside a naive peer", state(hasPrivateNaps: false), pair() + [Act.peer("peer")],
                endsWell: .inTheEnd),
        ]
    }

    static func revealingInHandOver(_ defect: Defect) -> Scenario {
        Scenario(
            "\(defect)", state(budget: Budget(preemptions: 3)),
            [
                LockActors.predecessor("A", successor: 1, defect: defect), LockActors.successor("B"),
                LockActors.writer("C"),
            ], endsWell: .unasked)
    }

    private static func state(
        hasData: Bool = true, budget: Budget = Budget(), hasPrivateNaps: Bool = true
    ) -> WorldState {
        var state = Scene.state(.noLock, hasData: hasData, budget: budget, hasPrivateNaps: hasPrivateNaps)
        state.sockets = SimulatedSockets(pairCount: 1)
        return state
    }
}
