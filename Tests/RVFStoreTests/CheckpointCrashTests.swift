import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage
import Testing

/// A checkpoint never counts events whose rows are not there: whatever crashes, and whatever a peer does next, whose
/// compaction names what was never committed.
@Suite("Checkpoints and crashes")
struct CheckpointCrashTests {
    private let scratch = Scratch()

    /// A state of the store, and the number of events that led to it.
    private struct State: Equatable {
        var rows: [UInt64: [Float]] = [:]
        var count: UInt64 = 0
    }

    /// Commits that add, replace, delete, delete everything, and set a checkpoint alone; each with its state after it.
    private func history(_ generator: inout SeededGenerator, length: Int) -> (commits: [Transaction], states: [State]) {
        var states = [State()]
        let commits = (0..<length).map { number in
            var transaction = Transaction()
            var state = states[states.count - 1]
            state.count += UInt64.random(in: 1...3, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: break
            case 1:
                transaction.delete(ids: Array(state.rows.keys))
                state.rows = [:]
            case 2, 3:
                let gone = Array(state.rows.keys.sorted().prefix(2))
                transaction.delete(ids: gone)
                for id in gone { state.rows[id] = nil }
            default:
                let ids = Set((0..<[1, 2, 30].randomElement(using: &generator)!).map { _ in
                    UInt64.random(in: 0..<40, using: &generator)
                })
                let new = rows(ids, dimension: 3, version: Float(number))
                transaction.upsert(batch(new))
                state.rows.merge(dictionary(new)) { $1 }
            }
            transaction.setCheckpoint(source: "queue", count: state.count, offset: Array("at \(state.count)".utf8))
            states.append(state)
            return transaction
        }
        return (commits, states)
    }

    private func read(_ image: [UInt8]) throws -> State {
        let reader = try StoreReader(at: scratch.write(image, to: "cut.rvf"))
        let checkpoint = try reader.snapshot().checkpoint(source: "queue")
        if let checkpoint { #expect(checkpoint.offset == Array("at \(checkpoint.count)".utf8)) }
        return State(rows: try reader.rows(), count: checkpoint?.count ?? 0)
    }

    private func durability(_ number: Int, _ mixed: Bool) -> CommitOptions.Durability {
        mixed ? [.ordered, .none, .none, .singleSync, .none][number % 5] : .ordered
    }

    @Test("after a power cut rows and checkpoint are those of one commit, and witnesses a chain", arguments: 0..<3 as Range<UInt64>, [false, true])
    func powerCut(_ seed: UInt64, _ mixed: Bool) throws {
        var generator = SeededGenerator(seed: seed)
        let (commits, states) = history(&generator, length: 10)
        let recording = try CommitRecording(commits, in: scratch, witnesses: true) { durability($0, mixed) }
        var options = WriterOptions()
        options.witnesses = true
        try recording.forEachCut(3, &generator) { cut in
            let found = try read(cut.image)
            #expect(states[cut.states].contains(found), "seed \(seed)")
            var writer = try StoreWriter.open(at: scratch("cut.rvf"), options: options)
            try writer.append([Row(id: 1000, vector: [1, 2, 3])])
            try writer.close()
            #expect(try StoreReader(at: scratch("cut.rvf")).snapshot().checkpoint(source: "queue")?.count ?? 0 == found.count)
            let check = try StoreVerification.run(at: scratch("cut.rvf"))
            let broken = check.problems.filter { $0.what.contains("not in its chain") }
            #expect(broken == [], "seed \(seed): \(check.problems.map { "\($0.offset) \($0.what)" })")
            #expect(check.witnessCount > 0 && check.damageCount == 0, "seed \(seed)")
        }
    }

    /// Whether a checkpoint counts no event whose rows are not there. States with the same rows are taken for the last.
    private func isCovered(_ found: State, by states: ArraySlice<State>) -> Bool {
        guard let last = states.last(where: { $0.rows == found.rows }) else { return false }
        return found.count <= last.count
    }

    private func peerAfterEveryEvent(
        _ cut: CommitRecording.Cut, _ states: [State], _ note: String, isExact: Bool
    ) throws {
        let before = try read(cut.image)
        #expect(states[cut.states].contains(before), "\(note)")
        // It appends: nothing is lost, if all was durable.
        var peer = try ReferenceWriter(reopening: cut.image)
        peer.ingest(rows([5000], dimension: 3))
        var appended = try read(peer.file)
        #expect(appended.rows.removeValue(forKey: 5000) != nil)
        #expect(appended == before || !isExact, "append, \(note)")
        #expect(appended.rows == before.rows && appended.count <= before.count, "append, \(note)")
        // It compacts, and may append then.
        var compacted = try ReferenceWriter.compacting(cut.image)
        let found = try read(compacted.file)
        #expect(found.rows == before.rows, "compaction, \(note)")
        #expect(isCovered(found, by: states[...cut.states.upperBound]), "compaction, \(note): \(found.count)")
        if cut.isOrdered, cut.acknowledged > 0 {
            #expect(found.count >= states[cut.acknowledged - 1].count, "\(note): it falls back by a commit at most")
        }
        compacted.ingest(rows([6000], dimension: 3), witnessed: true)
        #expect(try read(compacted.file).count == found.count, "\(note)")

        // Our next commit names one checkpoint, and it is exact.
        var writer = try StoreWriter.open(at: scratch("cut.rvf"))
        var transaction = Transaction()
        transaction.setCheckpoint(source: "queue", count: 1_000_000, offset: Array("at 1000000".utf8))
        transaction.upsert(batch(rows([7000], dimension: 3)))
        try writer.commit(transaction)
        #expect(writer.snapshot().segments.count { $0.type.rawValue == 0xF0 } == 1)
        try writer.close()
        var later = try ReferenceWriter(reopening: scratch.read("cut.rvf"))
        later.delete([7000])
        #expect(try read(later.file).count == 1_000_000, "\(note)")
    }

    @Test(
        "a writer that ends anywhere, then a peer that compacts: no event is counted that is not there",
        arguments: 0..<3 as Range<UInt64>, [false, true])
    func attack(_ seed: UInt64, _ mixed: Bool) throws {
        var generator = SeededGenerator(seed: seed)
        let (commits, states) = history(&generator, length: 12)
        let recording = try CommitRecording(commits, in: scratch) { durability($0, mixed) }
        try recording.forEachEnd {
            try peerAfterEveryEvent($0, states, "seed \(seed), \($0.acknowledged) acknowledged", isExact: !mixed)
        }
    }

    @Test("a power cut, then a peer that compacts: no event is counted that is not there", arguments: 0..<2 as Range<UInt64>)
    func attackAfterPowerCut(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let (commits, states) = history(&generator, length: 8)
        let recording = try CommitRecording(commits, in: scratch) { _ in .ordered }
        try recording.forEachCut(2, &generator) { cut in
            let found = try read(ReferenceWriter.compacting(cut.image).file)
            #expect(isCovered(found, by: states[...cut.states.upperBound]), "seed \(seed)")
        }
    }

    /// What a killed writer left need not be on the medium, though everybody can read it. A checkpoint segment that said
    /// otherwise could outlive it.
    @Test("what a writer finds it makes durable before it says that it is, once")
    func durableFirst() throws {
        let path = scratch("data.rvf")
        var transaction = Transaction()
        transaction.setCheckpoint(source: "queue", count: 5, offset: [])
        var created = try StoreWriter.create(at: path, dimension: 3)
        try created.commit(transaction)
        try created.close()
        let script = DiskScript()
        var options = WriterOptions()
        options.lock.renewal = .manual
        var writer = try StoreWriterCore.open(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, options: options)
        for syncs in [[true, false, true, false, true], [false, true, false, true]] {
            script.set { $0.events = [] }
            try writer.append(batch(rows([1], dimension: 3)))
            #expect(script.events.map { $0 == .sync } == syncs)
        }
    }

    @Test("a commit that was to leave nothing agrees with every store, and is not believed for that")
    func nothingLeft() throws {
        let path = scratch("data.rvf")
        var transaction = Transaction()
        transaction.setCheckpoint(source: "queue", count: 5, offset: Array("at 5".utf8))
        var created = try StoreWriter.create(at: path, dimension: 3)
        try created.commit(transaction)
        try created.close()
        // Segments that our next commit merges: of deleted rows nothing stays, and nothing stays on the deleted list.
        var peer = try ReferenceWriter(reopening: scratch.read())
        for id in 1...10 as ClosedRange<UInt64> { peer.ingest(rows([id], dimension: 3)) }
        try scratch.write(peer.file)
        let script = DiskScript()
        var options = WriterOptions()
        options.lock.renewal = .manual
        var writer = try StoreWriterCore.open(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, options: options)
        script.set { $0.allowedEvents = 2 }
        var lost = Transaction()
        lost.delete(ids: Array(1...10))
        lost.setCheckpoint(source: "queue", count: 17, offset: Array("at 17".utf8))
        #expect(storeError { () throws(StoreError) in try writer.commit(lost) } == .system(.sync, path, .ioError))
        let compacted = try ReferenceWriter.compacting(scratch.read())
        let lostOne = try #require(compacted.entries.last { $0.type == 0xF0 })
        let bytes = Array(compacted.file[(lostOne.offset + 64)..<(lostOne.offset + 64 + lostOne.length)])
        let payload = try CheckpointPayload(bytes.bytes)
        #expect(payload.binding.segmentCount == 0 && payload.current["queue"]?.count == 17 && !payload.isProvable)
        #expect(try read(compacted.file) == State(rows: dictionary(rows(1...10, dimension: 3)), count: 5))
    }

    @Test("one crash after another, each with a commit of its own that was not made")
    func repeatedCrashes() throws {
        let path = scratch("data.rvf")
        let script = DiskScript()
        var options = WriterOptions()
        options.lock.renewal = .manual
        var created = try StoreWriter.create(at: path, dimension: 3)
        var transaction = Transaction()
        transaction.upsert(batch(rows(1...5, dimension: 3)))
        transaction.setCheckpoint(source: "queue", count: 5, offset: Array("at 5".utf8))
        try created.commit(transaction)
        try created.close()
        for round in 0..<6 as Range<UInt64> {
            script.set { $0.allowedEvents = nil }
            var writer = try StoreWriterCore.open(
                host: RecordingHost(script: script), registry: LockRegistry(), path: path, options: options)
            var lost = Transaction()
            if round % 3 == 0 { lost.delete(ids: [1, 2, 3, 4, 5]) } else { lost.upsert(batch(rows([90 + round], dimension: 3))) }
            lost.setCheckpoint(source: "queue", count: 100 - round, offset: [])
            // One sync before, and one write: everything but the manifest's header. Then the writer is gone.
            script.set {
                $0.allowedEvents = 2
                $0.failures = 1
            }
            #expect(storeError { () throws(StoreError) in try writer.commit(lost) } == .system(.sync, path, .ioError))
        }
        let file = try scratch.read()
        #expect(try read(file) == State(rows: dictionary(rows(1...5, dimension: 3)), count: 5))
        var compacted = try ReferenceWriter.compacting(file)
        #expect(compacted.entries.count { $0.type == 0xF0 } > 3)
        #expect(try read(compacted.file) == State(rows: dictionary(rows(1...5, dimension: 3)), count: 5))
        // Not all: the store would be in the very state that some of the lost commits were to make.
        compacted.delete([1, 2, 3, 4])
        #expect(try read(compacted.file).count == 5)
    }
}
