import RVFHost
import RVFLock
import RVFStore
import RVFTestSupport
import Synchronization
import SystemPackage
import Testing

@Suite("Metadata and what goes wrong")
struct MetadataCrashTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    /// Transactions of rows and metadata, and the state after each, the first before all.
    private func history(_ count: Int, _ generator: inout SeededGenerator) -> ([Transaction], [MetadataModel]) {
        var states = [MetadataModel()]
        let transactions = (0..<count).map { number in
            var transaction = Transaction()
            var model = states[number]
            if number % 3 != 1 {
                for (id, vector) in rows([UInt64(number % 5), 10 + UInt64(number % 2)], dimension: 3, version: Float(number)) {
                    let fields = MetadataModel.randomFields(&generator)
                    transaction.upsert([Row(id: id, vector: vector, metadata: fields)])
                    model.rows[id] = vector
                    model.metadata[id] = fields.isEmpty ? nil : fields
                }
            } else {
                let id = model.rows.keys.min() ?? 0
                // Now and then so long that a snapshot follows.
                let text = String(repeating: "t", count: number % 2 == 0 ? 2_000 : 40_000)
                transaction.setMetadata("text", to: .string(text), for: id)
                model.metadata[id, default: [:]]["text"] = .string(text)
            }
            if number % 4 == 3, let gone = model.rows.keys.max() {
                transaction.delete(ids: [gone])
                model.delete([gone])
            }
            transaction.setFileMetadata(.int64(Int64(number)), for: "commit")
            model.file["commit"] = .int64(Int64(number))
            states.append(model)
            return transaction
        }
        return (transactions, states)
    }

    private func state(at path: FilePath) throws -> MetadataModel {
        let snapshot = try StoreReader(at: path).snapshot()
        var found = MetadataModel()
        try snapshot.forEachRow { found.rows[$0] = $1.array() }
        for id in found.rows.keys { found.metadata[id] = try snapshot.metadata(of: id) }
        found.file = try snapshot.fileMetadata
        return found
    }

    @Test("after any power cut rows and metadata are those of one commit, the last acknowledged or the one under way",
        arguments: 0..<3 as Range<UInt64>)
    func powerCuts(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (transactions, states) = history(14, &generator)
        // Seed 2: half of the commits without a sync.
        let isOrdered: (Int) -> Bool = { seed != 2 || $0 % 4 == 3 }
        let recording = try CommitRecording(transactions, in: scratch, metric: .squaredL2) {
            isOrdered($0) ? .ordered : .none
        }
        try recording.forEachCut(3, &generator) { cut in
            let cutPath = try scratch.write(cut.image, to: "cut.rvf")
            let found = try state(at: cutPath)
            #expect(states[cut.states].contains(found), "seed \(seed), commits \(cut.states)")
            try goOn(from: found, at: cutPath, "seed \(seed)")
        }
    }

    private func goOn(from found: MetadataModel, at path: FilePath, _ note: String) throws {
        var expected = found
        var writer = try StoreWriter.open(at: path)
        try writer.append([Row(id: 1000, vector: [1, 2, 3], metadata: ["n": 1])])
        try writer.close()
        expected.rows[1000] = [1, 2, 3]
        expected.metadata[1000] = ["n": 1]
        try expected.expect(at: path, note)
    }

    @Test("whichever write or sync fails, the commit does not count, and the next one stands without it",
        arguments: 0..<4, [false, true])
    func failingEvents(_ allowed: Int, _ writesHalf: Bool) throws {
        let script = DiskScript()
        var options = WriterOptions()
        options.lock.renewal = .manual
        var writer = try StoreWriterCore.create(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, dimension: 3,
            metric: .squaredL2, options: options)
        let descriptor = try FileDescriptor.open(path, .readOnly)
        defer { try? descriptor.close() }
        let identity = try POSIXHost().status(of: descriptor).identity
        script.set { $0.file = identity }
        var generator = SeededGenerator(seed: 9)
        let (transactions, states) = history(12, &generator)
        for number in 0..<6 { try writer.commit(transactions[number]) }
        try states[6].expect(at: path, "before")
        for attempt in 0..<3 {
            script.set {
                $0.allowedEvents = allowed
                $0.writesHalf = writesHalf
                $0.failures = 1
            }
            var lost = Transaction()
            lost.setMetadata("n", to: .int64(Int64(100 + attempt)), for: states[6].rows.keys.min()!)
            #expect(storeError { () throws(StoreError) in try writer.commit(lost) } != nil)
            #expect(try writer.snapshot.metadata().state.fileValue(of: "commit") == 5)
            if allowed < 3 { try states[6].expect(at: path, "attempt \(attempt)") }
        }
        script.set { $0.allowedEvents = nil }
        for number in 6..<12 {
            try writer.commit(transactions[number])
            try states[number + 1].expect(at: path, "commit \(number), \(allowed) allowed")
        }
    }

    @Test("whichever call fails while a store with metadata is written or compacted, it is before or after")
    func failingCalls() throws {
        var generator = SeededGenerator(seed: 4)
        let (transactions, states) = history(3, &generator)
        for compacts in [false, true] {
            var isDone = false
            var failing = 0
            while !isDone {
                let name = "store-\(compacts)-\(failing).rvf"
                let host = FaultyHost(base: POSIXHost())
                var options = WriterOptions()
                options.lock.renewal = .manual
                var writer = try StoreWriterCore.create(
                    host: host, registry: LockRegistry(), path: scratch(name), dimension: 3, metric: .squaredL2,
                    options: options)
                for number in 0..<2 { try writer.commit(transactions[number]) }
                let counter = CallCounter(failing: failing)
                host.script.intercept { $0.kind.changesSomething && counter.isDue() ? .ioError : nil }
                let error = storeError { () throws(StoreError) in
                    if compacts { _ = try writer.compact(WorkOptions()) } else { try writer.commit(transactions[2]) }
                }
                host.script.intercept(nil)
                isDone = !counter.hasFailed
                #expect(isDone == (error == nil) || error == nil, "call \(failing)")
                let found = try state(at: scratch(name))
                #expect(found == states[2] || !compacts && found == states[3], "call \(failing), compacts \(compacts)")
                try writer.commit(transactions[2])
                try states[3].expect(at: scratch(name), "call \(failing), compacts \(compacts)")
                failing += 1
            }
            #expect(failing > 3)
        }
    }
}

/// Lets so many calls pass and fails one.
private final class CallCounter: Sendable {
    private let left: Atomic<Int>

    init(failing: Int) { left = Atomic(failing) }

    func isDue() -> Bool { left.wrappingSubtract(1, ordering: .relaxed).newValue == -1 }
    var hasFailed: Bool { left.load(ordering: .relaxed) < 0 }
}
