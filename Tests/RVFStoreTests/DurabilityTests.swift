import RVFHost
import RVFLock
import RVFReference
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

    // MARK: One sync

    private let single = CommitOptions(durability: .singleSync)

    @Test("a commit of a single sync waits once, says what it is, and is taken for durable")
    func singleSync() throws {
        var writer = try watchedWriter()
        try writer.commit(upsert([1, 2]))
        let end = writer.snapshot.manifest.end
        script.set { $0.events = [] }
        try writer.commit(upsert([3]), options: single)
        #expect(script.events.count { $0 == .sync } == 1)
        #expect(script.events.last == .sync)
        #expect(writer.snapshot.manifest.payload.mark?.unsyncedFrom == end)
        try expectBoth(hold: dictionary(rows(1...3, dimension: 3)))
        // Nothing is left to be made durable.
        try writer.sync()
        #expect(script.events.count { $0 == .sync } == 1)
        try writer.commit(upsert([4]))
        #expect(writer.snapshot.manifest.payload.mark?.unsyncedFrom == nil)
        #expect(script.events.count { $0 == .sync } == 3)
    }

    @Test("more than a mebibyte waits twice, what was not durable before counted in")
    func largeSingleSync() throws {
        var writer = try watchedWriter()
        func syncs(_ count: UInt64, _ options: CommitOptions) throws -> Int {
            script.set { $0.events = [] }
            let transaction = upsert(Array(0..<count))
            try writer.commit(transaction, options: options)
            return script.events.count { $0 == .sync }
        }
        // 20 bytes a row, and up to 16 in its index.
        #expect(try syncs(25_000, single) == 1)
        #expect(try syncs(60_000, single) == 2)
        #expect(writer.snapshot.manifest.payload.mark?.unsyncedFrom == nil)
        #expect(try syncs(25_000, unsynced) == 0)
        #expect(try syncs(15_000, single) == 2)
        #expect(try syncs(10, unsynced) == 0)
        let from = writer.snapshot.manifest.payload.mark?.unsyncedFrom
        #expect(try syncs(10, single) == 1)
        #expect(writer.snapshot.manifest.payload.mark?.unsyncedFrom == from)
    }

    @Test("a single sync that fails takes the commit back, and what was not durable before it", arguments: [false, true])
    func failedSingleSync(_ isAfterUnsynced: Bool) throws {
        var writer = try watchedWriter()
        try writer.commit(upsert([1, 2]), options: single)
        if isAfterUnsynced { try writer.commit(upsert([3]), options: unsynced) }
        script.set { $0.allowedEvents = 2 }
        let transaction = upsert([4])
        let error = storeError { () throws(StoreError) in try writer.commit(transaction, options: single) }
        #expect(error == .system(.sync, scratch("data.rvf"), .ioError))
        let isInDoubt = writer.isInDoubt
        #expect(isInDoubt)
        #expect(try writer.snapshot.liveIDs(onDamage: .refuse) == [1, 2])
        try writer.commit(upsert([5]), options: single)
        try expectBoth(hold: dictionary(rows([1, 2, 5], dimension: 3)))
    }

    @Test("a torn one is passed over for the commit before, with the reason, and the next writer publishes that")
    func tornSingleSync() throws {
        var writer = try watchedWriter()
        try writer.commit(upsert([1, 2]), options: single)
        try writer.commit(upsert([3]), options: single)
        let torn = try #require(writer.snapshot.manifest.payload.directory.last)
        let manifest = writer.snapshot.manifest.offset
        var file = try scratch.read()
        file[Int(torn.payloadOffset) + 20] ^= 1
        let path = try scratch.write(file, to: "torn.rvf")
        let snapshot = try StoreReader(at: path).snapshot()
        #expect(try snapshot.ids() == [1, 2])
        #expect(snapshot.rejectedManifests.map(\.offset) == [manifest])
        #expect(snapshot.rejectedManifests.first?.why.contains("not whole") == true)
        try StoreWriter.open(at: path).close()
        #expect(try ReferenceStore(at: path).rows == dictionary(rows(1...2, dimension: 3)))
        #expect(try StoreReader(at: path).snapshot().rejectedManifests.isEmpty)
    }
}
