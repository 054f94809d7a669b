import Foundation
import RVFHost
import RVFStore
import RVFTestSupport
import Synchronization
import SystemPackage
import Testing

@Suite("Waiting for commits", .timeLimit(.minutes(2)))
struct CommitsTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    private func newStore() throws -> StoreWriter { try StoreWriter.create(at: path, dimension: 2) }

    @Test("each commit is seen by whoever waits for the one before, none is missed", arguments: [ReadMode.mapped, .positional])
    func pingPong(_ mode: ReadMode) async throws {
        var writer = try newStore()
        var options = ReaderOptions()
        options.readMode = mode
        let reader = try StoreReader(at: path, options: options)
        let (seen, report) = AsyncStream.makeStream(of: UInt32.self)
        let commits = reader.commits()
        let waiting = Task {
            defer { report.finish() }
            var iterator = commits.makeAsyncIterator()
            while let snapshot = try await iterator.next() {
                #expect(try snapshot.vector(id: UInt64(snapshot.epoch)) == [Float(snapshot.epoch), 1])
                report.yield(snapshot.epoch)
                if snapshot.epoch == 300 { return }
            }
        }
        var epochs = seen.makeAsyncIterator()
        for epoch in 1...300 as ClosedRange<UInt32> {
            // The waiter may be on its way to its wait, or in it.
            try writer.append([Row(id: UInt64(epoch), vector: [Float(epoch), 1])])
            #expect(await epochs.next() == epoch)
        }
        try await waiting.value
    }

    @Test("of several commits the newest is given, and what was committed before the call is not")
    func coalescing() async throws {
        var writer = try newStore()
        try writer.append(batch(rows([1], dimension: 2)))
        let reader = try StoreReader(at: path)
        let commits = reader.commits()
        for id in 2...5 as ClosedRange<UInt64> { try writer.append(batch(rows([id], dimension: 2))) }
        var iterator = commits.makeAsyncIterator()
        #expect(try await iterator.next()?.epoch == 5)
        #expect(reader.snapshot().epoch == 5)
        // Another one that began at the same state, after the reader has moved.
        var other = commits.makeAsyncIterator()
        #expect(try await other.next()?.epoch == 5)
        try writer.append(batch(rows([6], dimension: 2)))
        try reader.refresh()
        #expect(try await iterator.next()?.epoch == 6)
        var late = reader.commits().makeAsyncIterator()
        try writer.append(batch(rows([7], dimension: 2)))
        for epoch in [try await late.next()?.epoch, try await other.next()?.epoch] { #expect(epoch == 7) }
    }

    @Test("a compaction is a commit, and those after it in the new file are seen, also through a link")
    func compaction() async throws {
        var writer = try newStore()
        try writer.append(batch(rows(1...20, dimension: 2)))
        let link = scratch("elsewhere").appending("link.rvf")
        try FileManager.default.createDirectory(atPath: scratch("elsewhere").string, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: path.string)
        var iterators = [path, link].map { try! StoreReader(at: $0).commits().makeAsyncIterator() }
        for round in 0..<5 as Range<UInt64> {
            try writer.delete(ids: [round + 1])
            for index in iterators.indices { #expect(try await iterators[index].next()?.deletedCount == 1) }
            try writer.compact()
            for index in iterators.indices {
                let snapshot = try #require(try await iterators[index].next())
                #expect(snapshot.deletedCount == 0)
                #expect(try snapshot.ids() == Array((round + 2)...20))
            }
        }
    }

    @Test("any number of tasks wait at once, and all see what is committed")
    func many() async throws {
        var writer = try newStore()
        let reader = try StoreReader(at: path)
        try await withThrowingTaskGroup(of: UInt32.self) { group in
            for _ in 0..<500 {
                let commits = reader.commits()
                group.addTask {
                    var last: UInt32 = 0
                    for try await snapshot in commits {
                        #expect(snapshot.epoch > last)
                        last = snapshot.epoch
                        if last == 40 { break }
                    }
                    return last
                }
            }
            for id in 1...40 as ClosedRange<UInt64> { try writer.append(batch(rows([id], dimension: 2))) }
            for try await last in group { #expect(last == 40) }
        }
    }

    @Test("cancelled tasks get the end, before they wait and meanwhile; others go on")
    func cancellation() async throws {
        var writer = try newStore()
        let reader = try StoreReader(at: path)
        let commits = reader.commits()
        let staying = Task {
            var iterator = commits.makeAsyncIterator()
            return try await iterator.next()?.epoch
        }
        for round in 0..<50 {
            let waiting = Task {
                var iterator = commits.makeAsyncIterator()
                let first = try await iterator.next()
                return (first, try await iterator.next())
            }
            if round % 2 == 0 { await Task.yield() }
            waiting.cancel()
            let elements = try await waiting.value
            #expect(elements.0 == nil && elements.1 == nil)
        }
        try writer.append(batch(rows([1], dimension: 2)))
        #expect(try await staying.value == 1)
    }

    @Test("a file that goes away is an error, and the sequence is over")
    func deleted() async throws {
        try newStore().close()
        let reader = try StoreReader(at: path)
        let waiting = Task { () throws(StoreError) -> StoreError? in
            var iterator = reader.commits().makeAsyncIterator()
            do throws(StoreError) {
                _ = try await iterator.next()
                return nil
            } catch {
                #expect(try await iterator.next() == nil)
                return error
            }
        }
        try FileManagement.remove(path)
        #expect(try await waiting.value == .system(.examine, path, .noSuchFileOrDirectory))
        #expect(
            storeError { () throws(StoreError) in try reader.waitForCommit() }
                == .system(.examine, path, .noSuchFileOrDirectory))
        #expect(reader.snapshot().epoch == 0)
    }

    // MARK: On a host that tells what happens

    /// Opens the store, adds a row and closes it.
    private func commit(_ id: UInt64) {
        do {
            var writer = try StoreWriter.open(at: path)
            try writer.append(batch(rows([id], dimension: 2)))
            try writer.close()
        } catch {
            Issue.record("\(error)")
        }
    }

    /// A reader whose process sees a commit right before its n-th call of a kind.
    private func reader(
        committingAt kind: HostCall, number: Int, _ change: (inout HostScript.Settings) -> Void = { _ in }
    ) throws -> (StoreReaderCore<FaultyHost<POSIXHost>>, HostScript) {
        try newStore().close()
        let host = FaultyHost(base: POSIXHost())
        host.script.update(change)
        let reader = try StoreReaderCore(host: host, path: path, options: ReaderOptions())
        let counter = Counted()
        host.script.intercept { [self] call in
            if call.kind == kind, counter.next() == number { commit(1) }
            return nil
        }
        return (reader, host.script)
    }

    private final class Counted: Sendable {
        private let count = Atomic(0)
        func next() -> Int { count.add(1, ordering: .relaxed).newValue }
    }

    @Test("a commit at any point before the wait is seen, with one watch and no wait", arguments: [
        (HostCall.statusOfName, 1), (.statusOfName, 2), (.watch, 1), (.awaitChange, 1),
    ])
    func interleaved(_ kind: HostCall, _ number: Int) async throws {
        let (reader, script) = try reader(committingAt: kind, number: number)
        let before = script.openDescriptors
        #expect(try reader.waitForCommit(timeoutNanoseconds: 1_000_000_000_000))
        // Told of it, not by having looked again after a while.
        #expect(script.sleptNanoseconds == 0 || script.log.contains { $0.kind == .sleep })
        #expect(script.log.count { $0.kind == .watch } <= 1)
        #expect(script.openDescriptors == before)
        #expect(reader.snapshot.manifest.payload.epoch == 1)
    }

    @Test("where the system tells nothing, the file is looked at", arguments: [HostCall.watch, .awaitChange])
    func polled(_ missing: HostCall) async throws {
        let (reader, script) = try reader(committingAt: .sleep, number: 5) { $0.unsupported[missing] = .notSupported }
        let seen = reader.snapshot
        let feed = reader.commitFeed()
        #expect(try await feed.next(after: seen).get()?.manifest.payload.epoch == 1)
        // Four or five pauses of 20 ms.
        #expect(script.sleptNanoseconds <= 100_000_000)
    }

    @Test("the wait ends with its time, and where there is something already, at once")
    func timeout() throws {
        let (reader, script) = try reader(committingAt: .listen, number: 1)
        #expect(try !reader.waitForCommit(timeoutNanoseconds: 0))
        #expect(!script.log.contains { $0.kind == .watch })
        let start = reader.host.bootClockNanoseconds()
        #expect(try !reader.waitForCommit(timeoutNanoseconds: 5_000_000_000))
        #expect(reader.host.bootClockNanoseconds() - start >= 5_000_000_000)
        #expect(script.sleptNanoseconds <= 5_000_000_000)
        commit(1)
        let patient = try StoreReader(at: path)
        commit(2)
        #expect(try patient.waitForCommit(timeout: .zero))
        #expect(try !patient.waitForCommit(timeout: .seconds(-1)))
        #expect(try !patient.waitForCommit(timeout: .milliseconds(1)))
        #expect(patient.snapshot().epoch == 2)
    }

    @Test("all who wait share one watch, and it goes with the last of them")
    func oneWatch() async throws {
        let (reader, script) = try reader(committingAt: .listen, number: 1)
        // Real pauses: several tasks are to wait at once.
        script.update { $0.sleepsAreFake = false }
        let before = script.openDescriptors
        let seen = reader.snapshot
        var waiting: [Task<Bool, Never>] = []
        for _ in 0..<20 {
            let feed = reader.commitFeed()
            waiting.append(Task { (try? await feed.next(after: seen).get()) != nil })
        }
        #expect(script.openDescriptors.count <= before.count + 1)
        waiting[0].cancel()
        #expect(await waiting[0].value == false)
        commit(1)
        for task in waiting.dropFirst() { #expect(await task.value) }
        #expect(script.log.count { $0.kind == .watch } == 1)
        waiting = []
        while script.openDescriptors != before { await Task.yield() }
    }
}
