/// The worlds in which the store is tried: writers, readers and compactions of one file, kills among them. After all have
/// ended, a reader has to find what was acknowledged, and a writer to go on.
package enum StoreScenarios {
    package static var all: [Scenario] {
        let files = StoreActors.emptyStore()
        func scenario(_ name: String, _ actors: [World.Actor], _ budget: Budget) -> Scenario {
            Scenario(name, StoreActors.state(files, budget: budget), actors, invariants: [], endsWell: .storeGoesOn)
        }
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
}
