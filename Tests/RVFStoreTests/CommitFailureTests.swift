import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Commits that fail")
struct CommitFailureTests {
    private let scratch = Scratch()
    private let script = DiskScript()

    private func writer(segmentByteCount: Int = 64 << 20) throws -> StoreWriterCore<RecordingHost> {
        var options = WriterOptions()
        options.lock.renewal = .manual
        options.limits.segmentByteCount = segmentByteCount
        return try StoreWriterCore.create(
            host: RecordingHost(script: script), registry: LockRegistry(), path: scratch("data.rvf"), dimension: 3,
            metric: .squaredL2, options: options)
    }

    private func watchFile() throws {
        let descriptor = try FileDescriptor.open(scratch("data.rvf"), .readOnly)
        defer { try? descriptor.close() }
        let identity = try POSIXHost().status(of: descriptor).identity
        script.set { $0.file = identity }
    }

    private func expectBoth(hold expected: [UInt64: [Float]], _ note: String) throws {
        #expect(try ReferenceStore(at: scratch("data.rvf")).rows == expected, "\(note)")
        #expect(try StoreReader(at: scratch("data.rvf")).rows() == expected, "\(note)")
    }

    @Test(
        "whichever write or sync fails, the commit is refused, and the next one stands without it",
        arguments: 0..<4, [false, true])
    func anyEvent(_ allowed: Int, _ writesHalf: Bool) throws {
        var writer = try writer()
        try watchFile()
        try writer.append(batch(rows(1...4, dimension: 3)))
        // A commit's events are: everything but the header, sync, the header, sync.
        script.set {
            $0.allowedEvents = allowed
            $0.writesHalf = writesHalf
            $0.failure = .noSpace
        }
        let error = storeError { () throws(StoreError) in
            try writer.append(batch(rows(5...9, dimension: 3)))
        }
        #expect(error == .system(allowed % 2 == 0 ? .write : .sync, scratch("data.rvf"), .noSpace))
        let isInDoubt = writer.isInDoubt
        #expect(isInDoubt)
        #expect(try writer.snapshot.liveIDs(onDamage: .refuse) == [1, 2, 3, 4])
        if allowed < 3 { try expectBoth(hold: dictionary(rows(1...4, dimension: 3)), "after the failure") }

        try writer.append(batch(rows([2, 10], dimension: 3, version: 1)))
        let isStillInDoubt = writer.isInDoubt
        #expect(!isStillInDoubt)
        let expected = dictionary(rows(1...4, dimension: 3) + rows([2, 10], dimension: 3, version: 1))
        try expectBoth(hold: expected, "after the next commit")
        #expect(writer.snapshot.manifest.payload.epoch == 3)
    }

    @Test("the same holds for a commit that merges, and a later one merges the same again", arguments: 0..<4, [false, true])
    func mergingCommit(_ allowed: Int, _ writesHalf: Bool) throws {
        var writer = try writer()
        try watchFile()
        for id in 1...9 as ClosedRange<UInt64> { try writer.append(batch(rows([id], dimension: 3))) }
        let committed = try scratch.read()
        script.set {
            $0.allowedEvents = allowed
            $0.writesHalf = writesHalf
        }
        #expect(storeError { () throws(StoreError) in try writer.append(batch(rows([10], dimension: 3))) } != nil)
        #expect(Array(try scratch.read().prefix(committed.count)) == committed)
        if allowed < 3 { try expectBoth(hold: dictionary(rows(1...9, dimension: 3)), "after the failure") }
        try writer.append(batch(rows([11], dimension: 3)))
        try expectBoth(hold: dictionary(rows([1, 2, 3, 4, 5, 6, 7, 8, 9, 11], dimension: 3)), "after the next commit")
        #expect(writer.snapshot.manifest.payload.directory.count == 1)
        #expect(Array(try scratch.read().prefix(committed.count)) == committed)
    }

    @Test("a sync that keeps failing keeps every commit from counting")
    func failingSyncs() throws {
        var writer = try writer()
        try watchFile()
        try writer.append(batch(rows(1...4, dimension: 3)))
        for attempt in 0..<5 {
            script.set {
                $0.allowedEvents = 3
                $0.failures = 1
            }
            let error = storeError { () throws(StoreError) in
                try writer.append(batch(rows([20 + UInt64(attempt)], dimension: 3)))
            }
            #expect(error == .system(.sync, scratch("data.rvf"), .ioError))
        }
        script.set { $0.allowedEvents = nil }
        try writer.append(batch(rows([30], dimension: 3)))
        try expectBoth(hold: dictionary(rows([1, 2, 3, 4, 30], dimension: 3)), "after all")
        #expect(writer.snapshot.manifest.payload.epoch == 7)
    }

    @Test("what was committed is never overwritten or cut off, whatever fails")
    func neverTouchesTheCommitted() throws {
        var writer = try writer(segmentByteCount: 60)
        try watchFile()
        try writer.append(batch(rows(1...4, dimension: 3)))
        let committed = try scratch.read()
        for allowed in 0..<4 {
            script.set {
                $0.allowedEvents = allowed
                $0.failures = 1
                $0.writesHalf = true
            }
            _ = storeError { () throws(StoreError) in try writer.append(batch(rows(5...9, dimension: 3))) }
            #expect(Array(try scratch.read().prefix(committed.count)) == committed)
        }
    }

    @Test("a lock that is lost between the syncs keeps the manifest from being published")
    func lostBetweenSyncs() throws {
        var writer = try writer()
        try watchFile()
        try writer.append(batch(rows(1...4, dimension: 3)))
        let lock = scratch("data.rvf.lock")
        script.set { $0.atNextSync = { try? FileManagement.remove(lock) } }
        guard case .lostLock? = storeError({ () throws(StoreError) in
            try writer.append(batch(rows(5...9, dimension: 3)))
        }) else {
            Issue.record("not noticed")
            return
        }
        try expectBoth(hold: dictionary(rows(1...4, dimension: 3)), "after the loss")
    }

    @Test("an append by somebody else between the syncs keeps the manifest from being published")
    func appendedBetweenSyncs() throws {
        var writer = try writer()
        try watchFile()
        try writer.append(batch(rows(1...4, dimension: 3)))
        let scratch = scratch
        script.set { $0.atNextSync = { try? scratch.append([1, 2, 3]) } }
        guard case .foreignAppend? = storeError({ () throws(StoreError) in
            try writer.append(batch(rows(5...9, dimension: 3)))
        }) else {
            Issue.record("not noticed")
            return
        }
        #expect(try StoreReader(at: scratch("data.rvf")).snapshot().epoch == 1)
    }

    @Test("a create whose write or sync fails leaves nothing behind", arguments: 0..<2)
    func create(_ allowed: Int) throws {
        var options = WriterOptions()
        options.lock.renewal = .manual
        let path = scratch("data.rvf")
        // The lock's record is one write before.
        script.set { $0.allowedEvents = allowed + 1 }
        let error = storeError { () throws(StoreError) in
            _ = try StoreWriterCore.create(
                host: RecordingHost(script: script), registry: LockRegistry(), path: path, dimension: 3,
                metric: .squaredL2, options: options)
        }
        #expect(error == .system(allowed == 0 ? .write : .sync, path, .ioError))
        #expect(scratch.names == [])
    }
}
