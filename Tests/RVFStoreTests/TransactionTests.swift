import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Transactions")
struct TransactionTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    private func expectBoth(hold expected: [UInt64: [Float]], deleted: [UInt64]? = nil, _ note: String = "") throws {
        let reference = try ReferenceStore(at: path)
        #expect(reference.rows == expected, "reference \(note)")
        #expect(reference.total == UInt64(reference.distinctCount), "\(note)")
        #expect(reference.deleted == Set(reference.deleted).sorted(), "\(note)")
        if let deleted { #expect(reference.deleted == deleted, "\(note)") }
        let reader = try StoreReader(at: path)
        #expect(try reader.rows() == expected, "\(note)")
        #expect(reader.snapshot().liveCount == expected.count, "\(note)")
    }

    @Test("all that a transaction holds is one commit, and the result counts it")
    func oneCommit() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append(batch(rows(1...10, dimension: 2)))
        var transaction = Transaction()
        transaction.upsert(batch(rows([20, 21], dimension: 2)))
        transaction.delete(ids: [3, 5, 3, 99])
        let flat = rows([5, 30], dimension: 2, version: 1)
        transaction.upsert(ids: flat.map(\.0), components: flat.flatMap(\.1))
        transaction.delete(ids: [20, 7, 98])
        let result = try writer.commit(transaction)
        // 5 was deleted and came again, 20 came and was deleted without ever having been there.
        #expect(result == CommitResult(epoch: 2, upserted: 3, deleted: 2, ignored: 3))
        let expected = dictionary(rows([1, 2, 4, 6, 8, 9, 10, 21], dimension: 2) + flat)
        try expectBoth(hold: expected, deleted: [3, 7])
        #expect(try writer.snapshot().ids() == expected.keys.sorted())
    }

    @Test("deleted ids are not there, come back with a new row only, and snapshots keep what they had")
    func deleteAndRevive() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append(batch(rows(1...4, dimension: 2)))
        let reader = try StoreReader(at: path)
        let before = reader.snapshot()
        #expect(try writer.delete(ids: [2, 4]) == CommitResult(epoch: 2, upserted: 0, deleted: 2, ignored: 0))
        #expect(try reader.refresh())
        #expect(try reader.snapshot().ids() == [1, 3])
        #expect(try reader.snapshot().vector(id: 2) == nil)
        #expect(try before.vector(id: 2) == rows([2], dimension: 2)[0].1)
        try expectBoth(hold: dictionary(rows([1, 3], dimension: 2)), deleted: [2, 4])
        // Twice is no error, and no commit.
        let length = try scratch.read().count
        #expect(try writer.delete(ids: [4, 2, 50]) == CommitResult(epoch: 2, upserted: 0, deleted: 0, ignored: 3))
        #expect(try writer.commit(Transaction()).epoch == 2)
        #expect(try scratch.read().count == length)
        try writer.append(batch(rows([4], dimension: 2, version: 1)))
        #expect(try reader.refresh())
        #expect(try reader.snapshot().vector(id: 4) == rows([4], dimension: 2, version: 1)[0].1)
        try expectBoth(
            hold: dictionary(rows([1, 3], dimension: 2) + rows([4], dimension: 2, version: 1)), deleted: [2])
        #expect(try before.ids() == [1, 2, 3, 4])
    }

    @Test("an id that is upserted twice is refused by its place in the transaction, whatever stands between")
    func repeated() throws {
        var writer = try StoreWriter.create(at: path, dimension: 1)
        var transaction = Transaction()
        transaction.upsert(batch(rows([7, 8], dimension: 1)))
        transaction.delete(ids: [8])
        transaction.upsert(batch(rows([9, 8], dimension: 1)))
        let error = storeError { () throws(StoreError) in try writer.commit(transaction) }
        #expect(error == .invalidRow(path, index: 3, id: 8, .repeatedID(firstIndex: 1)))
        var second = Transaction()
        second.upsert(batch(rows([7, 8], dimension: 1)))
        second.upsert(ids: [4], components: [.nan])
        #expect(storeError { () throws(StoreError) in try writer.commit(second) }
            == .invalidRow(path, index: 2, id: 4, .notFinite(component: 0)))
        #expect(writer.snapshot().epoch == 0)
    }

    @Test("any number of ids can be deleted, at once or little by little", arguments: [20_000, 3_000])
    func manyDeletes(_ step: Int) throws {
        var options = WriterOptions()
        options.limits.segmentByteCount = 12 * 5_000
        var writer = try StoreWriter.create(at: path, dimension: 1, options: options)
        var ids = Array(0..<60_000 as Range<UInt64>)
        try writer.append(ids: ids, components: ids.map(Float.init))
        var generator = SeededGenerator(seed: 5)
        ids.shuffle(using: &generator)
        while ids.count > 15_000 {
            let gone = Array(ids.suffix(step))
            ids.removeLast(min(step, ids.count))
            #expect(try writer.delete(ids: gone).deleted == gone.count)
            let reference = try ReferenceStore(at: path)
            #expect(Set(reference.rows.keys) == Set(ids))
            #expect(reference.total == UInt64(reference.distinctCount))
            #expect(reference.deleted.count <= 8_100)
        }
        #expect(try StoreReader(at: path).snapshot().ids() == ids.sorted())
        try writer.delete(ids: ids)
        #expect(try StoreReader(at: path).rows().isEmpty)
        try writer.append(ids: [3], components: [1])
        try expectBoth(hold: [3: [1]])
    }

    @Test("deletes that only a rewrite makes room for are refused where a segment is damaged")
    func damagedDeletes() throws {
        var options = WriterOptions()
        options.limits.segmentByteCount = 12 * 5_000
        let ids = Array(0..<20_000 as Range<UInt64>)
        var writer = try StoreWriter.create(at: path, dimension: 1, options: options)
        try writer.append(ids: ids, components: ids.map(Float.init))
        let damaged = Int(writer.snapshot().segments[1].offset) + 1000
        try writer.close()
        var file = try scratch.read()
        file[damaged] ^= 1
        try scratch.write(file)
        var again = try StoreWriter.open(at: path, options: options)
        guard case .limit(_, .manifest)? = storeError({ () throws(StoreError) in try again.delete(ids: ids) }) else {
            Issue.record("not refused")
            return
        }
        #expect(try again.delete(ids: Array(ids[..<4_000])).deleted == 4_000)
        #expect(try StoreReader(at: path).snapshot().ids(onDamage: .passOver).count == 11_001)
    }
}
