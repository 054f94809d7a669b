import RVFHost
import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Changes between snapshots")
struct ChangesTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    private typealias Rows = [UInt64: [Float]]

    /// What changed, by comparing all rows.
    private func oracle(from old: Rows, to new: Rows) -> SnapshotChanges {
        SnapshotChanges(
            added: new.keys.filter { old[$0] == nil }.sorted(),
            replaced: new.keys.filter { old[$0] != nil && old[$0] != new[$0] }.sorted(),
            removed: old.keys.filter { new[$0] == nil }.sorted())
    }

    private func rows(of snapshot: Snapshot) throws(StoreError) -> Rows {
        var rows: Rows = [:]
        try snapshot.forEachRow { rows[$0] = $1.array() }
        return rows
    }

    /// A transaction of upserts and deletes; vectors are of so few kinds that many rows come again as they were.
    private func transaction(ids: Range<UInt64>, _ generator: inout SeededGenerator) -> Transaction {
        var transaction = Transaction()
        var used: Set<UInt64> = []
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let count = [1, 1, 1, 2, 12, 60].randomElement(using: &generator)!
            let some = (0..<count).map { _ in UInt64.random(in: ids, using: &generator) }
            if Bool.random(using: &generator) {
                transaction.delete(ids: some)
            } else {
                let version = Float(Int.random(in: 0...1, using: &generator))
                let new = some.filter { used.insert($0).inserted }
                transaction.upsert(batch(RVFStoreTests.rows(new, dimension: 3, version: version)))
            }
        }
        return transaction
    }

    @Test("random transactions: any two snapshots differ as a comparison of all rows says", arguments: 0..<6 as Range<UInt64>)
    func random(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var options = WriterOptions()
        // In some runs segments are soon full and so stay, in others all are merged again and again.
        options.limits.segmentByteCount = [400, 2000, 64 << 20][Int(seed % 3)]
        options.readMode = seed % 2 == 0 ? .mapped : .positional
        var readerOptions = ReaderOptions()
        readerOptions.readMode = seed % 4 < 2 ? .mapped : .positional
        // What another writer left: an id twice, deleted ids without a row, a segment of another type between.
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(RVFStoreTests.rows([1, 2, 3, 2], dimension: 3))
        peer.delete([2, 900])
        peer.segment(0x10, [1, 2, 3])
        peer.ingest(RVFStoreTests.rows([4, 5], dimension: 3))
        try scratch.write(peer.file)
        var writer = try StoreWriter.open(at: path, options: options)
        let reader = try StoreReader(at: path, options: readerOptions)
        var kept: [(snapshot: Snapshot, rows: Rows)] = [(reader.snapshot(), try reader.rows())]
        for commit in 0..<120 {
            try writer.commit(transaction(ids: 0..<150, &generator))
            guard Int.random(in: 0..<3, using: &generator) > 0 else { continue }
            try reader.refresh()
            // Some that were never looked into before they are compared, from the reader and from the writer.
            let new = Bool.random(using: &generator) ? reader.snapshot() : writer.snapshot()
            let other = try StoreReader(at: path).snapshot()
            let expected = try rows(of: other)
            for old in [kept.last!, kept.randomElement(using: &generator)!] {
                let note: Comment = "seed \(seed), commit \(commit), epochs \(old.snapshot.epoch) to \(new.epoch)"
                let changes = try new.changes(since: old.snapshot)
                #expect(changes == oracle(from: old.rows, to: expected), note)
                #expect(try other.changes(since: old.snapshot) == changes, note)
            }
            #expect(try new.changes(since: other).isEmpty)
            kept.append((new, expected))
        }
    }

    @Test("deletes that make segments be rewritten are told, at once and little by little")
    func purges() throws {
        var options = WriterOptions()
        options.limits.segmentByteCount = 12 * 2_000
        var writer = try StoreWriter.create(at: path, dimension: 1, options: options)
        var ids = Array(0..<24_000 as Range<UInt64>)
        try writer.append(ids: ids, components: ids.map(Float.init))
        let first = writer.snapshot()
        var generator = SeededGenerator(seed: 9)
        ids.shuffle(using: &generator)
        var gone: [UInt64] = []
        while ids.count > 4_000 {
            let before = writer.snapshot()
            let step = Array(ids.suffix(3_000))
            ids.removeLast(min(3_000, ids.count))
            try writer.delete(ids: step)
            gone += step
            #expect(try writer.snapshot().changes(since: before) == SnapshotChanges(removed: step.sorted()))
            #expect(try writer.snapshot().changes(since: first) == SnapshotChanges(removed: gone.sorted()))
        }
        // One comes back as it was, one as another.
        let before = writer.snapshot()
        try writer.append(ids: [gone[0], gone[1]], components: [Float(gone[0]), -1])
        #expect(try writer.snapshot().changes(since: before) == SnapshotChanges(added: gone[..<2].sorted()))
        let changes = try writer.snapshot().changes(since: first)
        #expect(changes.replaced == [gone[1]])
        #expect(changes.removed == gone[2...].sorted())
    }

    @Test("an id that was deleted and came again with the same components is unchanged")
    func sameAgain() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append(batch(RVFStoreTests.rows(1...30, dimension: 2)))
        let before = writer.snapshot()
        try writer.delete(ids: [3, 4])
        try writer.append(batch(RVFStoreTests.rows([3, 4, 5], dimension: 2)))
        #expect(try writer.snapshot().changes(since: before).isEmpty)
        try writer.append([Row(id: 7, vector: [0, 1])])
        let zero = writer.snapshot()
        try writer.append([Row(id: 7, vector: [-0.0, 1])])
        #expect(try writer.snapshot().changes(since: zero) == SnapshotChanges(replaced: [7]))
    }

    @Test("after a compaction, in another store and backwards there is nothing to be told")
    func historyGone() throws {
        func what(_ new: Snapshot, _ old: Snapshot) -> String? {
            let error = storeError { () throws(StoreError) in try new.changes(since: old) }
            guard case .historyGone(_, let what)? = error else { return nil }
            return what
        }
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append(batch(RVFStoreTests.rows(1...30, dimension: 2)))
        let reader = try StoreReader(at: path)
        let old = reader.snapshot()
        try writer.delete(ids: [3])
        try reader.refresh()
        let new = reader.snapshot()
        #expect(what(old, new)?.contains("newer") == true)
        try writer.compact()
        try reader.refresh()
        #expect(what(reader.snapshot(), new)?.contains("compaction") == true)
        #expect(what(writer.snapshot(), old)?.contains("compaction") == true)
        #expect(what(new, reader.snapshot()) != nil)
        #expect(try writer.snapshot().changes(since: reader.snapshot()).isEmpty)
        // The old file is still there for whoever has it open.
        #expect(try new.changes(since: old) == SnapshotChanges(removed: [3]))

        // The same inode, with something else in it.
        try writer.close()
        let compacted = reader.snapshot()
        var other = ReferenceWriter(dimension: 2)
        for id in 1...40 as ClosedRange<UInt64> { other.ingest(RVFStoreTests.rows([id], dimension: 2)) }
        try scratch.write(other.file)
        try reader.refresh()
        #expect(what(reader.snapshot(), compacted)?.contains("overwritten") == true)
    }

    @Test("a damaged segment is named, whichever of the states has it", arguments: [true, false])
    func damaged(isInBoth: Bool) throws {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append(batch(RVFStoreTests.rows(1...30, dimension: 2)))
        let segment = try #require(writer.snapshot().segments.first { $0.type == .vectors })
        let old = try StoreReader(at: path).snapshot()
        // One that is merged is gone from the later state, and has to be read all the same.
        try writer.append(batch(RVFStoreTests.rows(isInBoth ? 40...41 : 40...200, dimension: 2)))
        #expect(writer.snapshot().segments.contains(segment) == isInBoth)
        try writer.close()
        let new = try StoreReader(at: path).snapshot()
        var file = try scratch.read()
        file[Int(segment.offset) + 64 + 20] ^= 1
        try scratch.write(file)
        guard case .damaged(_, segment.offset, _)? = storeError({ () throws(StoreError) in try new.changes(since: old) })
        else {
            Issue.record("not found")
            return
        }
    }

    @Test("segments that both states have are not read for it")
    func cost() throws {
        let script = DiskScript()
        var options = WriterOptions()
        options.limits.segmentByteCount = 12 * 1_000
        var writer = try StoreWriter.create(at: path, dimension: 1, options: options)
        let ids = Array(0..<20_000 as Range<UInt64>)
        try writer.append(ids: ids, components: ids.map(Float.init))
        var positional = ReaderOptions()
        positional.readMode = .positional
        let reader = try StoreReaderCore(host: RecordingHost(script: script), path: path, options: positional)
        let old = reader.snapshot
        _ = try old.rowIndex()
        try writer.append(ids: [5, 30_000], components: [1, 1])
        #expect(try reader.refresh())
        let before = script.readByteCount
        #expect(try reader.snapshot.changes(since: old) == SnapshotChanges(added: [30_000], replaced: [5]))
        #expect(script.readByteCount - before < 1_000)
    }
}

@Suite("Segments that differ")
struct SegmentDifferenceTests {
    private func entries(_ ids: [UInt64]) -> [DirectoryEntry] {
        ids.map { DirectoryEntry(id: $0, offset: $0 * 100, payloadByteCount: 10, type: .vectors) }
    }

    @Test("what was added, merged, moved or is there twice", arguments: [
        ([], [], [], []),
        ([1, 2], [1, 2], [], []),
        ([1, 2], [1, 2, 3], [], [2]),
        ([1, 2, 3, 4], [1, 9, 4], [1, 2], [1]),
        ([1, 2, 3], [], [0, 1, 2], []),
        ([1, 2, 3], [2, 1, 3], [0], [1]),
        ([1, 1, 2], [1, 2, 2], [1], [2]),
        ([1, 2], [1, 1, 2], [], [1]),
    ] as [([UInt64], [UInt64], [Int], [Int])])
    func difference(_ example: ([UInt64], [UInt64], [Int], [Int])) {
        let difference = SegmentDifference(from: entries(example.0), to: entries(example.1))
        #expect(difference.onlyInEarlier == example.2)
        #expect(difference.onlyInLater == example.3)
    }
}
