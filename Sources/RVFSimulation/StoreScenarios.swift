/// The worlds in which the store is tried: writers, readers and compactions of one file, kills among them. After all have
/// ended, a reader has to find what was acknowledged, and a writer to go on.
package enum StoreScenarios {
    package static var all: [Scenario] {
        let scenario = maker()
        let writer = StoreActors.writer("A", ids: [1, 2])
        return [
            scenario("a store's writer and its reader", [writer, StoreActors.reader("R", looks: 3)], Budget(kills: 1)),
            scenario(
                "two writers of a store", [StoreActors.writer("A", ids: [1]), StoreActors.writer("B", ids: [2])],
                Budget(kills: 1)),
            scenario(
                "a compaction beside a reader",
                [StoreActors.writer("A", ids: [1], compacts: true), StoreActors.reader("R", looks: 3)], Budget(kills: 1)),
            scenario(
                "a compaction, a writer and a reader, at most 2 preemptions",
                [
                    StoreActors.writer("A", ids: [1], compacts: true), StoreActors.writer("B", ids: [2]),
                    StoreActors.reader("R", looks: 2),
                ], Budget(kills: 1, preemptions: 2)),
            scenario(
                "a store's calls fail", [writer, StoreActors.reader("R", looks: 2)], Budget(errors: 1)),
        ]
    }

    /// To be run in random order: everything at once.
    package static var random: [Scenario] {
        var everything = maker()(
            "writers, compactions and readers of a store, and all accidents",
            [
                StoreActors.writer("A", ids: [1, 2, 3, 4]), StoreActors.writer("B", ids: [11, 12, 13]),
                StoreActors.writer("C", ids: [21, 22, 23], compacts: true),
                StoreActors.reader("R", looks: 6), StoreActors.reader("S", looks: 4),
            ],
            Budget(
                kills: 3, errors: 1,
                acts: [.removeLock, .stepClock(machine: 0, seconds: 3600), .passTime(seconds: 40)]))
        // A compaction that is given up removes its new file, which the model has not.
        everything.followsModel = false
        return [everything]
    }

    private static func maker() -> (String, [World.Actor], Budget) -> Scenario {
        let files = StoreActors.emptyStore()
        return { name, actors, budget in
            Scenario(name, StoreActors.state(files, budget: budget), actors, invariants: [], endsWell: .storeGoesOn)
        }
    }
}
