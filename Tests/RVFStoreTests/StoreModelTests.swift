import RVFHost
import RVFLock
import RVFReference
import RVFStore
import RVFTestSupport
import Synchronization
import SystemPackage
import Testing

/// Everything that a store does, together, against dictionaries. `RVF_LONG=1` takes many more seeds.
@Suite("A store and its model")
struct StoreModelTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    private static let histories = 0..<(TestPowers.isLong ? 200 : 6) as Range<UInt64>
    private static let interruptions = 0..<(TestPowers.isLong ? 60 : 3) as Range<UInt64>

    @Test("a random history: all who look see what a model says, after every step", arguments: histories)
    func history(_ seed: UInt64) throws {
        var history = try StoreHistory(seed: seed)
        try history.run(steps: TestPowers.isLong ? 150 : 40)
    }

    private func transactions(
        _ count: Int, _ generator: inout SeededGenerator
    ) -> (transactions: [Transaction], states: [StoreModel]) {
        var states = [StoreModel()]
        let transactions = (0..<count).map { number in
            var model = states[number]
            let transaction = model.randomTransaction(number, &generator)
            states.append(model)
            return transaction
        }
        return (transactions, states)
    }

    private static func limits(_ generator: inout SeededGenerator) -> CommitLimits {
        var limits = CommitLimits()
        limits.segmentByteCount = [300, 1500, 64 << 20].randomElement(using: &generator)!
        limits.indexedByteCount = [0, 200, 64 << 20].randomElement(using: &generator)!
        return limits
    }

    @Test("after any power cut a store is at one commit, none that was acknowledged is missing, and it goes on", arguments: interruptions)
    func powerCuts(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (transactions, states) = transactions(10, &generator)
        let limits = Self.limits(&generator)
        let durabilities = (0..<10).map { _ in
            [CommitOptions.Durability.ordered, .ordered, .singleSync, .none].randomElement(using: &generator)!
        }
        let recording = try CommitRecording(
            transactions, in: scratch, witnesses: seed % 2 == 0, limits: limits
        ) { durabilities[$0] }
        var cuts = generator
        try recording.forEachCut(2, &cuts) { cut in
            let cutPath = try scratch.write(cut.image, to: "cut.rvf")
            var found = try StoreModel(StoreReader(at: cutPath).snapshot())
            #expect(states[cut.states].contains(found), "seed \(seed), commits \(cut.states)")
            let next = found.randomTransaction(100, &generator)
            var writer = try StoreWriter.open(at: cutPath)
            try writer.commit(next)
            try writer.close()
            try found.expect(StoreReader(at: cutPath).snapshot(), [1, 0, 0], "seed \(seed), after \(cut.states)")
            #expect(try ReferenceStore(at: cutPath).rows == found.content.rows, "seed \(seed)")
            let report = try StoreVerification.run(at: cutPath)
            #expect(report.isIntact, "seed \(seed): \(report.problems)")
        }
    }

    @Test("whatever call fails, a store is at the last commit or at the one that failed, and the next one stands", arguments: interruptions)
    func failingCalls(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let host = FaultyHost(base: POSIXHost())
        var options = WriterOptions()
        options.lock.renewal = .manual
        options.limits = Self.limits(&generator)
        options.witnesses = seed % 2 == 1
        var writer = try StoreWriterCore.create(
            host: host, registry: LockRegistry(), path: path, dimension: StoreModel.dimension, metric: .cosine,
            options: options)
        var model = StoreModel()
        // What a failing sync goes back to.
        var durable = model
        // What readers may see until a commit succeeds: what was tried, too.
        var visible: [StoreModel] = []
        var failureCount = 0
        for step in 0..<80 {
            let note = "seed \(seed), step \(step)"
            let fails = Int.random(in: 0..<3, using: &generator) == 0
            let left = Countdown(fails ? Int.random(in: 0..<9, using: &generator) : -1)
            host.script.intercept { $0.kind.changesSomething && left.isDue() ? .ioError : nil }
            if Int.random(in: 0..<10, using: &generator) == 0 {
                let error = storeError { () throws(StoreError) in try writer.compact(WorkOptions()) }
                host.script.intercept(nil)
                if error == nil { durable = model }
                if error != nil { failureCount += 1 }
            } else {
                var next = model
                let transaction = next.randomTransaction(step, &generator)
                let durability = [CommitOptions.Durability.ordered, .singleSync, .none].randomElement(using: &generator)!
                let error = storeError { () throws(StoreError) in
                    try writer.commit(transaction, options: CommitOptions(durability: durability))
                }
                host.script.intercept(nil)
                if error == nil {
                    model = next
                    visible = []
                    if case .none = durability {} else { durable = model }
                } else {
                    failureCount += 1
                    let found = try StoreModel(StoreReader(at: path).snapshot())
                    visible += [model, next, durable]
                    #expect(visible.contains(found), "\(note): \(error!)")
                    let rows = try rows(of: writer)
                    #expect(rows == model.content.rows || rows == durable.content.rows, "\(note): \(error!)")
                    if try fileCommit(of: writer) != model.content.file["commit"] { model = durable }
                    continue
                }
            }
            let isInDoubt = writer.isInDoubt
            if !isInDoubt { try model.expect(StoreReader(at: path).snapshot(), [0, 1, 2], note) }
        }
        #expect(failureCount > 0)
        let report = try StoreVerification.run(at: path)
        #expect(report.isIntact, "seed \(seed): \(report.problems)")
    }

    private func rows(of writer: borrowing StoreWriterCore<FaultyHost<POSIXHost>>) throws(StoreError) -> [UInt64: [Float]] {
        var rows: [UInt64: [Float]] = [:]
        try writer.snapshot.forEachRow(onDamage: .refuse) { rows[$0] = $1.array() }
        return rows
    }

    private func fileCommit(
        of writer: borrowing StoreWriterCore<FaultyHost<POSIXHost>>
    ) throws(StoreError) -> MetadataValue? {
        try writer.snapshot.metadata().state.fileValue(of: "commit")
    }
}

/// Lets so many calls pass and fails one; none where it begins below zero.
private final class Countdown: Sendable {
    private let left: Atomic<Int>

    init(_ passing: Int) { left = Atomic(passing < 0 ? -1 : passing) }

    func isDue() -> Bool { left.wrappingSubtract(1, ordering: .relaxed).oldValue == 0 }
}
