import Foundation
import RVFHost
import RVFLock
import RVFStore
import SystemPackage
import Testing

/// Every image that a power cut can leave, of up to twelve unsynced writes, and samples beyond: of commits of every kind
/// and durability, and of the opening for writing after such a cut.
///
/// `RVF_CRASH_SEEDS` says how many random histories are gone through; 1,000 make some hundred thousand images.
@Suite("Crash images")
struct CrashImageTests {
    private static let seeds = ProcessInfo.processInfo.environment["RVF_CRASH_SEEDS"].flatMap(UInt64.init) ?? 3

    @Test("a commit is there whole or not at all, no durable one is lost, and the next one works")
    func everyImage() throws {
        var counts = (images: 0, recoveries: 0, recoveryImages: 0)
        for seed in 0..<Self.seeds {
            let history = try History(seed: seed)
            try history.check(&counts)
        }
        print("crash images: \(counts.images), reopenings that wrote: \(counts.recoveries), images of them: \(counts.recoveryImages), histories: \(Self.seeds)")
        #expect(counts.images > 100 && counts.recoveryImages > 0)
    }
}

/// Random commits, and what holds after each.
private struct History {
    private let scratch = Scratch(inMemory: true)
    private let seed: UInt64
    private var generator: SeededGenerator
    private var commits: [Transaction] = []
    private var states = [MetadataModel()]
    private var durabilities: [CommitOptions.Durability] = []

    init(seed: UInt64) throws {
        self.seed = seed
        generator = SeededGenerator(seed: seed)
        // In turn: as it is safest, in one sync, and mixed with what waits for nothing.
        let kinds: [[CommitOptions.Durability]] = [
            [.ordered], [.singleSync, .ordered], [.none, .none, .none, .ordered, .singleSync],
        ]
        for number in 0..<8 { addCommit(number, kinds[Int(seed % 3)]) }
    }

    private mutating func addCommit(_ number: Int, _ kinds: [CommitOptions.Durability]) {
        var transaction = Transaction()
        var state = states[states.count - 1]
        let gone = (0..<number % 3).map { _ in UInt64.random(in: 0..<30, using: &generator) }
        transaction.delete(ids: gone)
        state.delete(gone)
        // Now and then more than a sector, and more than eight.
        let count = [0, 1, 2, 40, 200].randomElement(using: &generator) ?? 1
        let ids = Set((0...count).map { _ in UInt64.random(in: 0..<(count > 9 ? 1000 : 30), using: &generator) }).sorted()
        let new = rows(ids, dimension: 3, version: Float(number + 1))
        transaction.upsert(batch(new))
        for (id, vector) in new { state.rows[id] = vector }
        for id in ids.prefix(2) where Bool.random(using: &generator) {
            let fields = MetadataModel.randomFields(&generator).filter { $0.value != .null }
            transaction.setMetadata(fields, for: id)
            state.metadata[id] = fields.isEmpty ? nil : fields
        }
        commits.append(transaction)
        states.append(state)
        durabilities.append(kinds.randomElement(using: &generator) ?? .ordered)
    }

    func check(_ counts: inout (images: Int, recoveries: Int, recoveryImages: Int)) throws {
        var generator = SeededGenerator(seed: seed)
        let recording = try CommitRecording(commits, in: scratch) { durabilities[$0] }
        var total = counts
        try recording.forEachCrash(samples: 200, &generator) { cut in
            total.images += 1
            let path = try scratch.write(cut.image, to: "cut.rvf")
            let found = try content(path)
            if !states[cut.states].contains(found) {
                Issue.record("seed \(seed), image \(total.images): the state is none of \(cut.states)")
            }
            let events = try reopen(path, expecting: found, "image \(total.images)")
            guard !events.isEmpty else { return }
            total.recoveries += 1
            // Each write of a reopening, and each of its ends, is the place of a second cut.
            if total.recoveries % 7 == 1 { try cutAgain(cut.image, events, found, &total) }
        }
        counts = total
    }

    /// Opens for writing, which may write, and makes one more commit.
    ///
    /// - Returns: what the opening alone did to the file.
    private func reopen(_ path: FilePath, expecting found: MetadataModel, _ note: String) throws -> [DiskScript.Event] {
        let script = DiskScript()
        let file = try FileDescriptor.open(path, .readOnly)
        let identity = try file.closeAfter { try POSIXHost().status(of: file).identity }
        script.set { $0.file = identity }
        var options = WriterOptions()
        options.lock.renewal = .manual
        var writer = try StoreWriterCore.open(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, options: options)
        let events = script.events
        try writer.append([Row(id: 5000, vector: [1, 2, 3])])
        var expected = found
        expected.rows[5000] = [1, 2, 3]
        if try content(path) != expected { Issue.record("seed \(seed), \(note): the next commit shows something else") }
        return events
    }

    private func cutAgain(
        _ image: [UInt8], _ events: [DiskScript.Event], _ found: MetadataModel,
        _ counts: inout (images: Int, recoveries: Int, recoveryImages: Int)
    ) throws {
        var generator = SeededGenerator(seed: seed)
        var images = CrashImages(base: image)
        for event in events {
            images.add(event)
            var count = 0
            try images.forEach(samples: 50, &generator) { image in
                count += 1
                let path = try scratch.write(image, to: "again.rvf")
                if try content(path) != found {
                    Issue.record("seed \(seed): a cut during the reopening after a cut shows another state")
                }
            }
            counts.recoveryImages += count
            if case .sync = event { images.sync() }
        }
    }

    private func content(_ path: FilePath) throws -> MetadataModel {
        let snapshot = try StoreReader(at: path).snapshot()
        var content = MetadataModel()
        try snapshot.forEachRow { content.rows[$0] = $1.array() }
        if try !snapshot.metadataFields.isEmpty {
            for id in content.rows.keys {
                if let fields = try snapshot.metadata(of: id), !fields.isEmpty { content.metadata[id] = fields }
            }
        }
        return content
    }
}
