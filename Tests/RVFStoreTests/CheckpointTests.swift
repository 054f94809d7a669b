import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Checkpoints")
struct CheckpointTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    private func set(_ source: String, _ count: UInt64, _ offset: String = "") -> Transaction {
        var transaction = Transaction()
        transaction.setCheckpoint(source: source, count: count, offset: Array(offset.utf8))
        return transaction
    }

    private func refusal(_ transaction: Transaction, by writer: inout StoreWriter) -> StoreError? {
        storeError { () throws(StoreError) in try writer.commit(transaction) }
    }

    @Test("they come with the rows of their commit, go on through commits, reopening and compaction, and are told apart")
    func together() throws {
        var writer = try StoreWriter.create(at: path, dimension: 3)
        #expect(try writer.snapshot().checkpoints.isEmpty)
        var transaction = set("é", 20, "topic-1:20")
        transaction.upsert(batch(rows(1...20, dimension: 3)))
        transaction.setCheckpoint(source: "e\u{301}", count: 7, offset: [0xFF, 0])
        try writer.commit(transaction)
        let early = writer.snapshot()
        let expected = [
            Checkpoint(source: "e\u{301}", count: 7, offset: [0xFF, 0]),
            Checkpoint(source: "é", count: 20, offset: Array("topic-1:20".utf8)),
        ]
        #expect(try early.checkpoints == expected)
        for id in 100..<130 as Range<UInt64> { try writer.append(batch(rows([id], dimension: 3))) }
        try writer.delete(ids: [1, 2])
        #expect(try writer.snapshot().checkpoints == expected)
        #expect(writer.snapshot().segments.count { $0.type.rawValue == 0xF0 } == 1)
        try writer.commit(set("é", 21))
        try writer.close()
        #expect(try early.checkpoints == expected)

        writer = try StoreWriter.open(at: path)
        #expect(try writer.snapshot().checkpoint(source: "é") == Checkpoint(source: "é", count: 21))
        #expect(try writer.snapshot().checkpoint(source: "other") == nil)
        let report = try writer.compact()
        #expect(report.carriedSegmentCount == 0)
        #expect(writer.snapshot().segments.map(\.type.rawValue) == [1, 0xF0])
        #expect(try writer.snapshot().checkpoints.map(\.count) == [7, 21])
        try writer.append(batch(rows([1], dimension: 3)))
        #expect(try writer.snapshot().checkpoints.map(\.count) == [7, 21])
        try writer.close()
        #expect(try ReferenceStore(at: path).rows.count == 49)
        let check = try StoreVerification.run(at: path)
        #expect(check.problems.filter { $0.severity > .note } == [])
    }

    @Test("a store without rows holds them as well")
    func withoutRows() throws {
        var writer = try StoreWriter.create(at: path, dimension: 1)
        for count in 1...50 as ClosedRange<UInt64> { try writer.commit(set("queue", count, "at \(count)")) }
        #expect(writer.snapshot().epoch == 50)
        try writer.close()
        let snapshot = try StoreReader(at: path).snapshot()
        #expect(try snapshot.checkpoint(source: "queue")?.offset == Array("at 50".utf8))
        #expect(snapshot.liveCount == 0 && snapshot.segments.count == 1)
        #expect(try ReferenceStore(at: path).rows.isEmpty)
    }

    @Test("a count never goes back, nor has two offsets, and what is refused leaves nothing behind")
    func rules() throws {
        var writer = try StoreWriter.create(at: path, dimension: 3)
        try writer.commit(set("a", 10, "x"))
        let before = try scratch.read()
        var back = set("a", 9, "w")
        back.upsert(batch(rows([1], dimension: 3)))
        #expect(refusal(back, by: &writer) == .checkpoint(path, source: "a", .goesBack(stored: 10, given: 9)))
        #expect(
            refusal(set("a", 10, "y"), by: &writer) == .checkpoint(path, source: "a", .otherOffset(stored: 10, given: 10)))
        var twice = set("b", 5)
        twice.setCheckpoint(source: "b", count: 4, offset: [])
        #expect(refusal(twice, by: &writer) == .checkpoint(path, source: "b", .goesBack(stored: 5, given: 4)))
        #expect(refusal(set("", 1), by: &writer) == .checkpoint(path, source: "", .sourceByteCount(0)))
        let long = String(repeating: "é", count: 128)
        #expect(refusal(set(long, 1), by: &writer) == .checkpoint(path, source: long, .sourceByteCount(256)))
        let offset = String(repeating: "o", count: 4097)
        #expect(refusal(set("b", 1, offset), by: &writer) == .checkpoint(path, source: "b", .offsetByteCount(4097)))
        let epoch = writer.snapshot().epoch
        try writer.commit(set("a", 10, "x"))
        #expect(writer.snapshot().epoch == epoch)
        #expect(try scratch.read() == before)
        #expect(try writer.snapshot().checkpoints == [Checkpoint(source: "a", count: 10, offset: [0x78])])
        #expect(try StoreReader(at: path).rows().isEmpty)
    }

    @Test("an operator may go back, and forget a source")
    func operators() throws {
        var writer = try StoreWriter.create(at: path, dimension: 3)
        var transaction = set("a", 10, "x")
        transaction.setCheckpoint(source: "b", count: 1, offset: [])
        try writer.commit(transaction)
        var restore = Transaction()
        restore.restoreCheckpoint(source: "a", count: 3, offset: [])
        restore.removeCheckpoint(source: "b")
        restore.removeCheckpoint(source: "nobody")
        try writer.commit(restore)
        #expect(try writer.snapshot().checkpoints == [Checkpoint(source: "a", count: 3)])
        try writer.commit(set("a", 4))
        try writer.close()
        #expect(try StoreReader(at: path).snapshot().checkpoints == [Checkpoint(source: "a", count: 4)])
    }

    @Test("all together have a limit, and many of them are not written again with every commit")
    func limit() throws {
        var writer = try StoreWriter.create(at: path, dimension: 3)
        let offset = String(repeating: "o", count: 4096)
        for number in 0..<31 { try writer.commit(set("source \(number)", 1, offset)) }
        let error = refusal(set("one more", 1, offset), by: &writer)
        guard case .limit(path, .checkpoints)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let length = try scratch.read().count
        try writer.append(batch(rows([1], dimension: 3)))
        #expect(try scratch.read().count < length + 4096)
        #expect(try writer.snapshot().checkpoints.count == 31)
        #expect(try ReferenceStore(at: path).rows.count == 1)
    }

    @Test("damaged ones are an error that says where; rows can be added, and an operator can set them anew")
    func damaged() throws {
        var writer = try StoreWriter.create(at: path, dimension: 3)
        try writer.commit(set("a", 10, "x"))
        try writer.close()
        let intact = try scratch.read()
        let segment = try #require(StoreReader(at: path).snapshot().segments.first)
        for place in [0, 8, 30, 90] {
            var file = intact
            file[Int(segment.offset) + 64 + place] ^= 1
            try scratch.write(file)
            guard case .damaged(path, segment.offset, _)? = storeError({ () throws(StoreError) in
                try StoreReader(at: path).snapshot().checkpoints
            }) else {
                Issue.record("byte \(place) is not missed")
                continue
            }
            #expect(try StoreVerification.run(at: path).damageCount == 1)
            writer = try StoreWriter.open(at: path)
            try writer.append(batch(rows([1], dimension: 3)))
            guard case .damaged? = refusal(set("a", 11), by: &writer) else {
                Issue.record("a checkpoint was set behind a damaged one")
                return
            }
            var restore = Transaction()
            restore.restoreCheckpoint(source: "a", count: 10, offset: [])
            try writer.commit(restore)
            #expect(try writer.snapshot().checkpoints == [Checkpoint(source: "a", count: 10)])
            try writer.close()
            #expect(try StoreReader(at: path).rows().count == 1)
        }
    }

    @Test("a child has none, a backup has them, and a repair leaves them out and says so")
    func copies() throws {
        var writer = try StoreWriter.create(at: path, dimension: 3)
        var transaction = set("a", 10, "x")
        transaction.upsert(batch(rows(1...10, dimension: 3)))
        try writer.commit(transaction)
        try writer.snapshot().derive(to: scratch("child"))
        try writer.snapshot().backup(to: scratch("copy"))
        let report = try StoreRepair.run(from: path, to: scratch("repaired"))
        #expect(try StoreReader(at: scratch("child")).snapshot().checkpoints.isEmpty)
        #expect(try StoreReader(at: scratch("copy")).snapshot().checkpoints == writer.snapshot().checkpoints)
        #expect(try StoreReader(at: scratch("repaired")).snapshot().checkpoints.isEmpty)
        #expect(report.losses.count == 1 && report.losses[0].what.contains("a: 10 events"))
        #expect(try StoreReader(at: scratch("repaired")).rows().count == 10)
    }
}
