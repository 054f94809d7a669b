import Foundation
import RVFHost
import RVFLock
import RVFStore
import SystemPackage
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A consumer of a source that is killed again and again, and goes on from its checkpoint.
@Suite("Taking in a source once")
struct CheckpointResumeTests {
    private static let eventCount: UInt64 = 60

    /// Takes in the rest of the source in small commits. Each row counts how often its event has been taken in.
    ///
    /// - Parameter events: writes and syncs after which the process is killed.
    static func takeIn(_ path: FilePath, killedAfter events: Int?) throws {
        let script = DiskScript()
        var options = WriterOptions()
        options.lock.renewal = .manual
        var writer = try StoreWriterCore.open(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, options: options)
        script.set { $0.allowedEvents = events }
        let reader = try StoreReader(at: path)
        var next = try reader.snapshot().checkpoint(source: "source")?.count ?? 0
        while next < eventCount {
            let end = min(eventCount, next + 1 + next % 3)
            _ = try reader.refresh()
            var transaction = Transaction()
            for id in next..<end {
                let before = try reader.snapshot().vector(id: id)?[0] ?? 0
                transaction.upsert([Row(id: id, vector: [before + 1, Float(id)])])
            }
            transaction.setCheckpoint(source: "source", count: end, offset: [])
            do throws(StoreError) {
                try writer.commit(transaction)
            } catch {
                // The script's failure stands for the moment of death.
                kill(getpid(), SIGKILL)
            }
            next = end
        }
    }

    #if os(Linux) || os(macOS)
        @Test("killed at any write or sync, it takes in every event once")
        func killed() async throws {
            let scratch = Scratch()
            let path = scratch("data.rvf")
            try StoreWriter.create(at: path, dimension: 2).close()
            let text = path.string
            for events in 0..<14 {
                await #expect(processExitsWith: .signal(SIGKILL)) { [text = text as String, events = events as Int] in
                    try CheckpointResumeTests.takeIn(FilePath(text), killedAfter: events)
                }
                let reader = try StoreReader(at: path)
                let count = try reader.snapshot().checkpoint(source: "source")?.count ?? 0
                #expect(try reader.snapshot().ids() == Array(0..<count), "after \(events) events")
            }
            try Self.takeIn(path, killedAfter: nil)
            let rows = try StoreReader(at: path).rows()
            #expect(rows == Dictionary(uniqueKeysWithValues: (0..<Self.eventCount).map { ($0, [1, Float($0)]) }))
            #expect(try StoreReader(at: path).snapshot().checkpoint(source: "source")?.count == Self.eventCount)
        }
    #endif
}
