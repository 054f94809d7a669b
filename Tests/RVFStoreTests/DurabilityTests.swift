import RVFHost
import RVFLock
import RVFStore
import SystemPackage
import Testing

@Suite("Commits without a sync")
struct DurabilityTests {
    private let scratch = Scratch()
    private let script = DiskScript()
    private let unsynced = CommitOptions(durability: .none)

    private func watchedWriter() throws -> StoreWriterCore<RecordingHost> {
        var options = WriterOptions()
        options.lock.renewal = .manual
        let writer = try StoreWriterCore.create(
            host: RecordingHost(script: script), registry: LockRegistry(), path: scratch("data.rvf"), dimension: 3,
            metric: .squaredL2, options: options)
        let descriptor = try FileDescriptor.open(scratch("data.rvf"), .readOnly)
        defer { try? descriptor.close() }
        let identity = try POSIXHost().status(of: descriptor).identity
        script.set {
            $0.file = identity
            $0.events = []
        }
        return writer
    }

    private func upsert(_ ids: [UInt64], version: Float = 0) -> Transaction {
        var transaction = Transaction()
        transaction.upsert(batch(rows(ids, dimension: 3, version: version)))
        return transaction
    }

    private func expectBoth(hold expected: [UInt64: [Float]]) throws {
        #expect(try ReferenceStore(at: scratch("data.rvf")).rows == expected)
        #expect(try StoreReader(at: scratch("data.rvf")).rows() == expected)
    }

    @Test("they are seen at once, wait for nothing, and say what they are until a sync")
    func unsyncedCommits() throws {
        var writer = try watchedWriter()
        try writer.commit(upsert([1, 2]))
        let durable = writer.snapshot.manifest.end
        let reader = try StoreReader(at: scratch("data.rvf"))
        script.set { $0.events = [] }
        for id in 3...30 as ClosedRange<UInt64> {
            try writer.commit(upsert([id]), options: unsynced)
            #expect(try reader.refresh())
            #expect(try reader.snapshot().ids() == Array(1...id))
            #expect(writer.snapshot.manifest.payload.mark?.unsyncedFrom == durable)
        }
        #expect(!script.events.contains(.sync))
        try expectBoth(hold: dictionary(rows(1...30, dimension: 3)))
        try writer.sync()
        #expect(script.events.count { $0 == .sync } == 2)
        #expect(writer.snapshot.manifest.payload.mark?.unsyncedFrom == nil)
        try writer.sync()
        #expect(script.events.count { $0 == .sync } == 2)
        try expectBoth(hold: dictionary(rows(1...30, dimension: 3)))
        #expect(try reader.refresh())
        #expect(try reader.snapshot().ids() == Array(1...30))
    }

    @Test("an ordered commit makes those before it durable too")
    func orderedAfter() throws {
        var writer = try watchedWriter()
        try writer.commit(upsert([1]), options: unsynced)
        try writer.commit(upsert([2]))
        #expect(writer.snapshot.manifest.payload.mark?.unsyncedFrom == nil)
        let count = script.events.count
        try writer.sync()
        #expect(script.events.count == count)
    }

    @Test("a sync that fails takes them all back to the last durable commit", arguments: [false, true])
    func failedSync(_ byCommit: Bool) throws {
        var writer = try watchedWriter()
        try writer.commit(upsert([1, 2]))
        for id in 3...14 as ClosedRange<UInt64> { try writer.commit(upsert([id]), options: unsynced) }
        script.set { $0.allowedEvents = 1 }
        let transaction = upsert([20])
        let error = storeError { () throws(StoreError) in
            if byCommit { try writer.commit(transaction) } else { try writer.sync() }
        }
        #expect(error == .system(.sync, scratch("data.rvf"), .ioError))
        let isInDoubt = writer.isInDoubt
        #expect(isInDoubt)
        #expect(try writer.snapshot.liveIDs(onDamage: .refuse) == [1, 2])
        try writer.commit(upsert([2, 30], version: 1))
        try expectBoth(hold: dictionary(rows([1], dimension: 3) + rows([2, 30], dimension: 3, version: 1)))
        #expect(writer.snapshot.manifest.payload.totalVectorCount == 3)
    }

    @Test("one with a damaged segment is passed over for the last that is whole, and published anew by a writer")
    func tornCommit() throws {
        var writer = try watchedWriter()
        try writer.commit(upsert([1, 2]))
        try writer.commit(upsert([3]), options: unsynced)
        try writer.commit(upsert([4]), options: unsynced)
        let torn = try #require(writer.snapshot.manifest.payload.directory.last)
        let manifest = writer.snapshot.manifest.offset
        var file = try scratch.read()
        file[Int(torn.payloadOffset) + 20] ^= 1
        let path = try scratch.write(file, to: "torn.rvf")
        let snapshot = try StoreReader(at: path).snapshot()
        #expect(try snapshot.ids() == [1, 2, 3])
        #expect(snapshot.rejectedManifests.map(\.offset) == [manifest])
        try StoreWriter.open(at: path).close()
        #expect(try ReferenceStore(at: path).rows == dictionary(rows(1...3, dimension: 3)))
        #expect(try StoreReader(at: path).snapshot().rejectedManifests.isEmpty)
    }

    @Test("what another writer left without a sync is made durable when a store is opened for writing")
    func leftByAnother() throws {
        var writer = try StoreWriter.create(at: scratch("data.rvf"), dimension: 3)
        try writer.append(batch(rows([1], dimension: 3)), options: unsynced)
        try writer.close()
        let length = try scratch.read().count
        try StoreWriter.open(at: scratch("data.rvf")).close()
        let after = try scratch.read().count
        #expect(after > length)
        try StoreWriter.open(at: scratch("data.rvf")).close()
        #expect(try scratch.read().count == after)
        try expectBoth(hold: dictionary(rows([1], dimension: 3)))
    }
}
