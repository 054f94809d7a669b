import RVFStore

extension StoreHistory {
    private typealias Durability = CommitOptions.Durability

    /// Everything that can be done to a store.
    ///
    /// - Parameter seed: what is committed.
    package static func all(seed: UInt64) -> [StoreHistory] {
        creations(seed) + compactions(seed) + commits(seed) + ingestions(seed)
    }

    // MARK: Creation

    private static func creations(_ seed: UInt64) -> [StoreHistory] {
        var plain = StoreHistory("a creation")
        plain.create()
        plain.commit { $0.upsert([1, 2], version: 1) }
        var unnamed = StoreHistory("a creation without unnamed files")
        unnamed.hasUnnamedFiles = false
        unnamed.metric = .cosine
        unnamed.create()
        unnamed.commit { $0.upsert([1, 2], version: 1) }
        var killed = StoreHistory("a creation that is killed before the name is durable")
        killed.create()
        killed.kill(in: .nameSync)
        killed.open()
        killed.commit { $0.upsert([1, 2], version: 1) }
        let broken: [(String, [UInt8])] = [
            ("nothing", []), ("zeros", [UInt8](repeating: 0, count: 162)), ("half a header", [0x53, 0x46, 0x56, 0x52, 1, 5, 0]),
        ]
        return [plain, unnamed, killed] + broken.map { name, bytes in
            var history = StoreHistory("a creation over an interrupted one that left \(name)", damaged: bytes)
            history.replaceDamaged()
            history.commit { $0.upsert([1, 2], version: 1) }
            return history
        }
    }

    // MARK: Commits

    private static func commits(_ seed: UInt64) -> [StoreHistory] {
        [
            killed(.ordered, "a sync") { $0.sync() },
            killed(.ordered, "a commit of nothing") { $0.commit { $0.delete([77]) } },
            killed(.singleSync, "the same checkpoint") { $0.commit { $0.setCheckpoint("queue", count: 4) } },
            random("commits in two syncs", seed, count: 8, [.ordered]),
            random("commits in one sync", seed, count: 8, [.singleSync, .ordered]),
            random("few commits without a sync", seed, count: 5, [.none, .none, .none, .none, .ordered]),
            random("many commits without a sync", seed, count: 24, [.none]),
            random("commits of every kind", seed, count: 20, [.none, .none, .none, .singleSync, .none, .ordered]),
            merging(.ordered), merging(.none), deletes(seed), metadata(seed), checkpoints(seed), reopened(seed),
        ]
    }

    private static func random(
        _ name: String, _ seed: UInt64, count: Int, _ durabilities: [Durability]
    ) -> StoreHistory {
        var history = StoreHistory(name)
        var generator = SplitMix64(seed: seed)
        history.metric = seed % 2 == 0 ? .squaredL2 : .cosine
        history.create()
        for number in 1...count {
            let durability = durabilities[number % durabilities.count]
            history.commit(durability) { fill(&$0, number, &generator) }
        }
        return history
    }

    /// Something of everything.
    private static func fill(_ change: inout ContentChange, _ number: Int, _ generator: inout SplitMix64) {
        change.delete((0..<number % 3).map { _ in UInt64.random(in: 0..<30, using: &generator) })
        // Now and then more than a sector, and more than eight.
        let count = [1, 1, 2, 40, 200].randomElement(using: &generator) ?? 1
        let ids = Set((0..<count).map { _ in UInt64.random(in: 0..<(count > 9 ? 1000 : 30), using: &generator) }).sorted()
        change.upsert(ids, version: number)
        for id in ids.prefix(2) where Bool.random(using: &generator) {
            change.set(["n": .int64(Int64(number)), "text": .string("t\(id)")], for: id)
        }
        if number % 3 == 0 { change.setCheckpoint("queue", count: UInt64(number)) }
        change.set(.int64(Int64(number)), for: "commit")
    }

    /// So many small commits that segments are merged by the way.
    private static func merging(_ durability: Durability) -> StoreHistory {
        var history = StoreHistory(durability == .ordered ? "commits that merge" : "commits that merge, without a sync")
        history.create()
        for number in 1...24 { history.commit(durability) { $0.upsert([UInt64(number * 7 % 20)], version: number) } }
        return history
    }

    /// Deletes of single rows, of nearly all, and what comes again.
    private static func deletes(_ seed: UInt64) -> StoreHistory {
        var history = StoreHistory("deletes")
        var generator = SplitMix64(seed: seed)
        history.create()
        history.commit { $0.upsert(Array(0..<60), version: 1) }
        for number in 2...5 {
            history.commit { $0.delete((0..<3).map { _ in UInt64.random(in: 0..<60, using: &generator) }) }
            history.commit(.singleSync) { $0.upsert([UInt64(number)], version: number) }
        }
        history.commit { $0.delete(Array(0..<55)) }
        history.commit { $0.upsert([3, 70], version: 9) }
        return history
    }

    private static func metadata(_ seed: UInt64) -> StoreHistory {
        var history = StoreHistory("metadata")
        var generator = SplitMix64(seed: seed)
        history.create()
        history.commit { $0.upsert(Array(0..<12), version: 1) }
        for number in 1...8 {
            history.commit(number % 3 == 2 ? .singleSync : .ordered) { change in
                let id = UInt64.random(in: 0..<12, using: &generator)
                // Now and then so long that all is written anew.
                let text = String(repeating: "t", count: number % 4 == 3 ? 40_000 : 10)
                if change.content.rows[id] != nil { change.set(["text": .string(text), "n": .int64(Int64(number))], for: id) }
                change.set(.int64(Int64(number)), for: "commit")
                if number == 5 { change.delete([0, 1, 2]) }
            }
        }
        return history
    }

    private static func checkpoints(_ seed: UInt64) -> StoreHistory {
        var history = StoreHistory("checkpoints and witnesses")
        history.options.witnesses = true
        history.create()
        for number in 1...9 {
            history.commit([.ordered, .none, .singleSync][number % 3]) { change in
                if number % 4 != 0 { change.upsert([UInt64(number % 5), 40], version: number) }
                if number == 6 { change.delete(Array(change.content.rows.keys)) }
                change.setCheckpoint("queue", count: UInt64(10 * number))
                if number % 2 == 0 { change.setCheckpoint("other", count: UInt64(number)) }
            }
        }
        return history
    }

    /// A commit whose process is killed in its last sync, and another process that has nothing to add to it.
    private static func killed(
        _ durability: Durability, _ next: String, then confirm: (inout StoreHistory) -> Void
    ) -> StoreHistory {
        var history = StoreHistory("a commit that is killed before it is durable, and then \(next)")
        history.create()
        history.commit { $0.upsert([1, 2], version: 1) }
        history.commit(durability) { change in
            change.upsert([3], version: 2)
            change.setCheckpoint("queue", count: 4)
        }
        history.kill(in: .headerSync)
        history.open()
        confirm(&history)
        return history
    }

    private static func reopened(_ seed: UInt64) -> StoreHistory {
        var history = StoreHistory("a store that is opened again")
        history.create()
        for number in 1...3 {
            history.commit(.none) { $0.upsert([UInt64(number)], version: number) }
            history.open()
            history.commit { $0.setCheckpoint("queue", count: UInt64(number)) }
        }
        return history
    }

    // MARK: Compaction

    private static func compactions(_ seed: UInt64) -> [StoreHistory] {
        var plain = StoreHistory("a compaction")
        fillForCompaction(&plain)
        plain.compact()
        plain.commit { $0.upsert([900], version: 9) }
        plain.compact()
        var large = StoreHistory("a compaction of many segments, through the new file")
        large.options.limits.segmentByteCount = 700
        large.options.limits.indexedByteCount = 300
        large.options.witnesses = true
        fillForCompaction(&large)
        large.commit(.none) { $0.delete([2, 3]) }
        large.compact(rowsInMemory: 7)
        large.commit { $0.upsert([900], version: 9) }
        var killed = StoreHistory("a compaction that is killed before the name is durable")
        fillForCompaction(&killed)
        killed.compact()
        killed.kill(in: .nameSync)
        killed.open()
        killed.commit { $0.upsert([900], version: 9) }
        killed.commit(.singleSync) { $0.upsert([901], version: 9) }
        var automatic = StoreHistory("compactions by the writer itself")
        var triggers = CompactionTriggers()
        triggers.byteCount = 1
        triggers.share = 0.3
        triggers.interval = .zero
        automatic.options.compaction = .automatic(triggers)
        automatic.create()
        automatic.commit { $0.upsert(Array(0..<50), version: 1) }
        automatic.commit { $0.setCheckpoint("queue", count: 4) }
        automatic.commit { $0.delete(Array(0..<40)) }
        for number in 2...5 { automatic.commit(number == 4 ? .none : .ordered) { $0.upsert([1, 2, 41], version: number) } }
        return [plain, large, killed, automatic]
    }

    private static func fillForCompaction(_ history: inout StoreHistory) {
        history.create()
        history.commit { $0.upsert(Array(0..<80), version: 1) }
        history.commit { change in
            change.upsert([200, 4], version: 2)
            change.set(["n": 4], for: 4)
            change.set("x", for: "key")
            change.setCheckpoint("queue", count: 4)
        }
        history.commit { $0.delete(Array(10..<50)) }
    }

    // MARK: Ingestion

    private static func ingestions(_ seed: UInt64) -> [StoreHistory] {
        [CommitOptions.Durability.ordered, .none].map { durability in
            var history = StoreHistory("an ingestion of many segments" + (durability == .none ? ", without a sync" : ""))
            history.options.limits.segmentByteCount = 1500
            history.options.limits.indexedByteCount = 600
            history.create()
            history.commit { $0.upsert([5, 6], version: 1) }
            history.ingest(Array((0..<480).reversed()), version: 2, commits: durability == .none ? 12 : 5, durability)
            history.commit { $0.upsert([7], version: 3) }
            return history
        }
    }
}
