import RVFReference
import RVFStore
import SystemPackage
import Testing

/// What a power cut can leave of a commit: everything up to a sync, and any sectors of what came after it.
@Suite("Power cuts")
struct RecoveryTests {
    private let scratch = Scratch()

    @Test("after any of them the last acknowledged commit, or the one under way, is read whole", arguments: 0..<3 as Range<UInt64>)
    func anyCut(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let commits = (0..<6).map { number in
            batch(rows((0..<UInt64(1 + 30 * (number % 3))).map { $0 * 3 % 100 }, dimension: 3, version: Float(number)))
        }
        try cutEverywhere(commits.map { rows in
            var transaction = Transaction()
            transaction.upsert(rows)
            return transaction
        }, states: commits.reduce(into: [[:]]) { states, rows in
            states.append(states.last!.merging(rows.map { ($0.id, $0.vector) }) { $1 })
        }, &generator, seed)
    }

    @Test("the same holds for commits that delete, and merge what came before", arguments: 0..<2 as Range<UInt64>)
    func mergingCut(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var states: [[UInt64: [Float]]] = [[:]]
        let commits = (0..<24).map { number in
            var transaction = Transaction()
            let gone = (0..<number % 4).map { _ in UInt64.random(in: 0..<40, using: &generator) }
            let new = rows(Set((0...number % 3).map { _ in UInt64.random(in: 0..<40, using: &generator) }),
                dimension: 3, version: Float(number + 1))
            transaction.delete(ids: gone)
            transaction.upsert(batch(new))
            states.append(states.last!.filter { !gone.contains($0.key) }.merging(dictionary(new)) { $1 })
            return transaction
        }
        try cutEverywhere(commits, states: states, &generator, seed)
        let segments = try StoreReader(at: scratch("recorded.rvf")).snapshot().segments.count
        #expect(segments < 12, "no commit merged anything")
    }

    @Test("commits of a single sync are there or not, whole, and no acknowledged one is lost", arguments: 0..<3 as Range<UInt64>)
    func singleSyncCut(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (commits, states) = history(&generator)
        // Among ordered ones and, in the last round, among some that wait for nothing.
        try cutEverywhere(commits, states: states, &generator, seed) { number in
            number % 5 == 4 ? .ordered : seed == 2 && number % 3 == 1 ? .none : .singleSync
        }
    }

    @Test("of commits without a sync any may be lost, but none is read in part", arguments: 0..<3 as Range<UInt64>)
    func unsyncedCut(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (commits, states) = history(&generator)
        try cutEverywhere(commits, states: states, &generator, seed, durability: { $0 % 6 == 3 ? .ordered : .none })
    }

    /// Commits of few rows and of many, with deletes among them, and the rows before the first and after each.
    private func history(
        _ generator: inout SeededGenerator
    ) -> (commits: [Transaction], states: [[UInt64: [Float]]]) {
        var states: [[UInt64: [Float]]] = [[:]]
        let commits = (0..<16).map { number in
            var transaction = Transaction()
            let new = rows((0..<[1, 3, 80].randomElement(using: &generator)!).map { $0 * 7 + UInt64(number) % 5 },
                dimension: 3, version: Float(number + 1))
            transaction.delete(ids: [UInt64(number), 21])
            transaction.upsert(batch(new))
            states.append(
                states.last!.filter { ![UInt64(number), 21].contains($0.key) }.merging(dictionary(new)) { $1 })
            return transaction
        }
        return (commits, states)
    }

    private func cutEverywhere(
        _ commits: [Transaction], states: [[UInt64: [Float]]], _ generator: inout SeededGenerator, _ seed: UInt64,
        durability: (Int) -> CommitOptions.Durability = { _ in .ordered }
    ) throws {
        let recording = try CommitRecording(commits, in: scratch, durability: durability)
        try recording.forEachCut(3, &generator) { cut in
            let path = try scratch.write(cut.image, to: "cut.rvf")
            let found = try StoreReader(at: path).rows()
            #expect(states[cut.states].contains(found), "seed \(seed)")
            // That runtime believes a manifest whatever its hash, so it may read what has not been synced.
            if cut.isOrdered { #expect(try ReferenceStore(cut.image).rows == found, "seed \(seed)") }

            var writer = try StoreWriter.open(at: path)
            try writer.append([Row(id: 1000, vector: [1, 2, 3])])
            try writer.close()
            #expect(try StoreReader(at: path).rows() == found.merging([1000: [1, 2, 3]]) { $1 }, "seed \(seed)")
            #expect(try ReferenceStore(at: path).rows.count == found.count + 1, "seed \(seed)")
        }
        #expect(try StoreReader(at: scratch.write(recording.lastImage, to: "cut.rvf")).rows() == states.last)
    }

    @Test("a manifest that an unfinished commit pushed out of other readers' reach is published again")
    func republish() throws {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows(1...10, dimension: 3), witnessed: true)
        peer.delete([4])
        peer.segment(1, [UInt8](repeating: 9, count: 100_000), listed: false)
        peer.file.removeLast(1000)
        #expect(throws: ReferenceStore.Failure.self) { try ReferenceStore(peer.file) }
        let path = try scratch.write(peer.file)
        let before = try StoreReader(at: path).rows()
        try StoreWriter.open(at: path).close()
        let reference = try ReferenceStore(at: path)
        #expect(reference.rows == before)
        #expect(reference.deleted == [4])
        #expect(try StoreReader(at: path).rows() == before)
        // Once is enough.
        let after = try scratch.read()
        try StoreWriter.open(at: path).close()
        #expect(try scratch.read() == after)
    }

    @Test("commits behind a header that was cut short are found, wherever it was cut")
    func tornHeader() throws {
        for kept in stride(from: 1, through: 64, by: 3) {
            var peer = ReferenceWriter(dimension: 3)
            peer.ingest(rows(1...10, dimension: 3))
            let end = peer.file.count
            peer.segment(1, [UInt8](repeating: 9, count: 700), listed: false)
            peer.file.removeLast(peer.file.count - end - kept)
            let path = try scratch.write(peer.file)
            var writer = try StoreWriter.open(at: path)
            // As many commits as it takes to go beyond where the segment would have ended.
            for id in 50..<60 as Range<UInt64> {
                try writer.append(batch(rows([id], dimension: 3)))
                #expect(try StoreReader(at: path).rows().count == Int(id) - 39, "\(kept) bytes kept, id \(id)")
                #expect(try ReferenceStore(at: path).rows.count == Int(id) - 39, "\(kept) bytes kept, id \(id)")
            }
        }
    }

    @Test("a store that was cut short at any byte takes commits that every reader finds")
    func cutAnywhere() throws {
        var writer = try StoreWriter.create(at: scratch("data.rvf"), dimension: 2)
        let empty = try scratch.read().count
        for id in 1...2 as ClosedRange<UInt64> { try writer.append([Row(id: id, vector: [0, 1])]) }
        try writer.close()
        let whole = try scratch.read()
        for length in empty...whole.count {
            let path = try scratch.write(Array(whole.prefix(length)), to: "cut.rvf")
            var writer = try StoreWriter.open(at: path)
            for id in 77...79 as ClosedRange<UInt64> {
                // What the commit waits for has no part in where it stands.
                try writer.append([Row(id: id, vector: [0, 1])], options: CommitOptions(durability: .none))
                let seen = try StoreReader(at: path).snapshot().ids()
                #expect(seen.suffix(Int(id) - 76) == Array(77...id)[...], "cut to \(length) bytes")
            }
            try writer.close()
            #expect(try ReferenceStore(at: path).rows.count >= 3, "cut to \(length) bytes")
        }
    }

    @Test("a commit behind a manifest whose header was cut short is found, wherever its own manifest comes to stand")
    func cutHeader() throws {
        var writer = try StoreWriter.create(at: scratch("data.rvf"), dimension: 2)
        try writer.append([Row(id: 1, vector: [0, 1])])
        let header = Int(writer.snapshot().manifestOffset)
        try writer.close()
        let whole = try scratch.read()
        // From where the header says how long the segment is to where its hash is whole.
        for kept in stride(from: 24, to: 56, by: 4) {
            for count in 1...30 as ClosedRange<UInt64> {
                let path = try scratch.write(Array(whole.prefix(header + kept)), to: "cut.rvf")
                var writer = try StoreWriter.open(at: path)
                let rows = (1...count).map { Row(id: 100 + $0, vector: [0, 1]) }
                try writer.append(rows, options: CommitOptions(durability: .none))
                try writer.close()
                let seen = try StoreReader(at: path).snapshot().ids()
                #expect(seen == rows.map(\.id), "\(kept) bytes kept, \(count) rows")
            }
        }
    }

    @Test("what stood at the end of a file before stays there, byte for byte")
    func keepsTail() throws {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows(1...10, dimension: 3))
        peer.witness("query", listed: false)
        peer.file += [1, 2, 3]
        let path = try scratch.write(peer.file)
        var writer = try StoreWriter.open(at: path)
        try writer.append(batch(rows([50], dimension: 3)))
        #expect(Array(try scratch.read().prefix(peer.file.count)) == peer.file)
        #expect(try ReferenceStore(at: path).rows.count == 11)
        #expect(try StoreReader(at: path).rows().count == 11)
    }
}
