import RVFStore
import Testing

@Suite struct MetadataCommitTests {
    @Test("The first commit is a full snapshot, the next a delta of what is different")
    func commits() throws {
        var changes = MetadataChanges()
        changes.set("language", to: "en", for: 7)
        changes.set("year", to: 1999, for: 7)
        changes.setFileValue("mini", for: "model")
        let first = try #require(try MetadataState().committing(changes))
        #expect(first.isSnapshot)
        #expect(first.state.generation == 1)
        #expect(try MetadataState().applying(bytes: first.payload).value(of: "year", for: 7) == 1999)

        changes.set("year", to: 2001, for: 7)
        let second = try #require(try first.state.committing(changes))
        #expect(!second.isSnapshot)
        let delta = try decode(second.payload)
        #expect(delta.baseGeneration == 1)
        #expect(delta.schema.map(\.name) == ["year"])
        #expect(delta.fileRecords.isEmpty)
        #expect(delta.records.ids == [7])
        #expect(try second.state.committing(changes) == nil)
    }

    @Test("Changes that change nothing are no commit")
    func skipsNothing() throws {
        var changes = MetadataChanges()
        #expect(try MetadataState().committing(changes) == nil)
        changes.removeAll(for: 1)
        changes.removeField("x", for: 2)
        changes.removeFileValue(for: "y")
        #expect(try MetadataState().committing(changes) == nil)
    }

    @Test("Removing the last field, or all, removes the record")
    func removesRecords() throws {
        var changes = MetadataChanges()
        for id in UInt64(1)...3 {
            changes.set("a", to: 1, for: id)
            changes.set("b", to: "x", for: id)
        }
        let first = try #require(try MetadataState().committing(changes))
        var removal = MetadataChanges()
        removal.removeField("a", for: 1)
        removal.removeField("b", for: 1)
        removal.removeAll(for: 2)
        removal.removeAll(for: 3)
        removal.set("b", to: "y", for: 3)
        let second = try #require(try first.state.committing(removal))
        #expect(second.state.ids == [3])
        #expect(second.state.recordCount == 1)
        #expect(second.state.value(of: "a", for: 3) == nil)
        #expect(second.state.value(of: "b", for: 3) == "y")
    }

    @Test("A field is declared by its first use, becomes nullable when it is null, and keeps its type")
    func declaresFields() throws {
        var changes = MetadataChanges()
        changes.set("z", to: .null, for: 1)
        changes.set("n", to: .uint64(.max), for: 1)
        let first = try #require(try MetadataState().committing(changes)).state
        #expect(
            first.schema == [
                MetadataField(id: 0, name: "n", type: .uint64, isNullable: false),
                MetadataField(id: 1, name: "z", type: .string, isNullable: true),
            ])
        // Only null until now: its first value says what it is.
        var later = MetadataChanges()
        later.set("z", to: true, for: 2)
        later.set("n", to: .null, for: 2)
        let second = try #require(try first.committing(later)).state
        #expect(second.schema.map(\.type) == [.uint64, .bool])
        #expect(second.schema.map(\.isNullable) == [true, true])
        var wrong = MetadataChanges()
        wrong.set("n", to: "text", for: 3)
        #expect(throws: MetadataError.type(field: "n", is: .uint64, given: .string)) { try second.committing(wrong) }
        // Where the only value of the former type goes with it, the type can change.
        wrong.set("n", to: "text", for: 1)
        #expect(try second.committing(wrong)?.state.schema[0].type == .string)
        // Of two fields that change, the one is named that cannot.
        var both = MetadataChanges()
        both.set("n", to: "text", for: 1)
        both.set("z", to: "text", for: 9)
        #expect(throws: MetadataError.type(field: "z", is: .bool, given: .string)) { try second.committing(both) }
        wrong.set("n", to: 4, for: 9)
        #expect(throws: MetadataError.type(field: "n", is: .string, given: .int64)) { try second.committing(wrong) }
    }

    @Test("What cannot be stored is refused by name")
    func refusesValues() throws {
        func error(_ make: (inout MetadataChanges) -> Void) -> MetadataError? {
            var changes = MetadataChanges()
            make(&changes)
            do {
                _ = try MetadataState().committing(changes)
                return nil
            } catch {
                return error
            }
        }
        let long = String(repeating: "n", count: 4_097)
        let large = 16 << 20
        #expect(error { $0.set("f", to: .double(.nan), for: 1) } == .notFinite(name: "f"))
        #expect(error { $0.setFileValue(.double(.infinity), for: "k") } == .notFinite(name: "k"))
        #expect(error { $0.set("", to: 1, for: 1) } == .name(byteCount: 0))
        #expect(error { $0.set(long, to: 1, for: 1) } == .name(byteCount: 4_097))
        #expect(error { $0.setFileValue(1, for: long) } == .name(byteCount: 4_097))
        #expect(error { $0.setFileValue(1, for: "") } == nil)
        let bytes = MetadataValue.bytes([UInt8](repeating: 0, count: large + 1))
        #expect(error { $0.set("f", to: bytes, for: 1) } == .value(name: "f", byteCount: large + 1))
        #expect(error { $0.setFileValue(bytes, for: "k") } == .value(name: "k", byteCount: large + 1))
    }

    @Test("The generations end without a trap")
    func endsGenerations() throws {
        let last = try MetadataState().applying(bytes: PayloadBytes(generation: .max).finished)
        var changes = MetadataChanges()
        changes.set("a", to: 1, for: 1)
        #expect(throws: MetadataError.self) { try last.committing(changes) }
        #expect(throws: MetadataError.self) { try last.committingSnapshot() }
    }

    @Test("Any sequence of commits reads back as a plain dictionary says", arguments: 0..<6)
    func agreesWithModel(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var model: [UInt64: [String: MetadataValue]] = [:]
        var files: [String: MetadataValue] = [:]
        var state = MetadataState()
        var chain: [[UInt8]] = []
        for round in 0..<120 {
            var changes = MetadataChanges()
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                Self.change(&changes, &model, &files, using: &random)
            }
            guard let commit = try state.committing(changes) else { continue }
            state = commit.state
            chain = commit.isSnapshot ? [commit.payload] : chain + [commit.payload]
            let read = try chain.reduce(MetadataState()) { try $0.applying(bytes: $1) }
            for seen in [state, read] {
                #expect(seen.ids == model.filter { !$0.value.isEmpty }.keys.sorted(), "seed \(seed), round \(round)")
                #expect(seen.recordCount == seen.ids.count)
                for id in seen.ids {
                    let fields = Dictionary(
                        uniqueKeysWithValues: (seen.fields(of: id) ?? []).map { ($0.field.name, $0.value) })
                    #expect(fields == model[id], "seed \(seed), round \(round), id \(id)")
                }
                #expect(seen.fileRecords.map(\.key) == files.keys.sorted())
                #expect(Dictionary(uniqueKeysWithValues: seen.fileRecords.map { ($0.key, $0.value) }) == files)
            }
            #expect(state.chainByteCount == read.chainByteCount)
            #expect(state.deltaCount == read.deltaCount)
            #expect(chain.count <= 65)
        }
    }

    /// One random change, to the changes and to what should come of them.
    private static func change(
        _ changes: inout MetadataChanges, _ model: inout [UInt64: [String: MetadataValue]],
        _ files: inout [String: MetadataValue], using random: inout SeededGenerator
    ) {
        let id = UInt64.random(in: 0..<30, using: &random)
        let number = Int.random(in: 0..<5, using: &random)
        let values: [MetadataValue] = [
            .int64(Int64.random(in: -3...3, using: &random)), .string("v\(UInt8.random(in: 0...9, using: &random))"),
            .bool(Bool.random(using: &random)), .double(Double.random(in: -1...1, using: &random)), .null,
        ]
        let name = "field \(number)"
        switch Int.random(in: 0..<10, using: &random) {
        case 0:
            changes.removeAll(for: id)
            model[id] = nil
        case 1, 2:
            changes.removeField(name, for: id)
            model[id]?[name] = nil
        case 3:
            changes.setFileValue(values[number], for: name)
            files[name] = values[number]
        case 4:
            changes.removeFileValue(for: name)
            files[name] = nil
        default:
            changes.set(name, to: values[number], for: id)
            model[id, default: [:]][name] = values[number]
        }
    }

    @Test("Many records over many deltas stay few runs and read right")
    func mergesRuns() throws {
        var state = MetadataState()
        for round in UInt64(0)..<64 {
            var changes = MetadataChanges()
            for index in UInt64(0)..<200 { changes.set("n", to: .uint64(round), for: index * (round + 1)) }
            changes.removeAll(for: round)
            if let commit = try state.committing(changes) { state = commit.state }
        }
        #expect(state.runCount <= 16)
        #expect(state.ids.count == state.recordCount)
        #expect(state.value(of: "n", for: 199 * 64) == .uint64(63))
        #expect(state.value(of: "n", for: 63) == nil)
    }
}
