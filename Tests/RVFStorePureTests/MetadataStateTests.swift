import RVFStore
import Testing

@Suite struct MetadataStateTests {
    /// A full snapshot of generation 1 with field 1 (nullable text), field 2 (truth values), and the vectors 1 and 2.
    private static let snapshot = PayloadBytes.withSchema(files: 2, records: 2)
        .name("a").content(Array("one".utf8)).name("c").add([6, 0])
        .record(1, fields: 2).add(UInt16(1)).content(Array("x".utf8)).add(UInt16(2)).add([6, 1])
        .record(2, fields: 1).add(UInt16(2)).add([6, 0]).finished

    private func state(after deltas: [[UInt8]] = []) throws -> MetadataState {
        var state = try MetadataState().applying(bytes: Self.snapshot)
        for delta in deltas { state = try state.applying(bytes: delta) }
        return state
    }

    @Test("A delta sets fields, removes fields, deletes records, and leaves all else")
    func appliesDelta() throws {
        let delta = PayloadBytes.withSchema(isDelta: true, files: 3, records: 3)
            .name("a").add([7]).name("b").add([6, 1]).name("z").add([7])
            .record(1, fields: 1).add(UInt16(1)).add([7])
            .record(2, operation: 1, fields: 0)
            .record(7, fields: 2).add(UInt16(1)).add([0]).add(UInt16(2)).add([7]).finished
        let before = try state()
        let after = try before.applying(bytes: delta)
        #expect(after.generation == 2)
        #expect(after.deltaCount == 1)
        #expect(after.chainByteCount == Self.snapshot.count + delta.count)
        #expect(after.ids == [1, 7])
        #expect(after.recordCount == 2)
        #expect(after.value(of: "a", for: 1) == nil)
        #expect(after.value(of: "b", for: 1) == true)
        #expect(after.fields(of: 2) == nil)
        #expect(after.fields(of: 7)?.map(\.value) == [.null])
        #expect(after.fileRecords.map(\.key) == ["b", "c"])
        #expect(after.fileValue(of: "b") == true)
        #expect(after.fileValue(of: "a") == nil)
        // The state that it was applied to is what it was.
        #expect(before.ids == [1, 2])
        #expect(before.value(of: "a", for: 1) == "x")
        #expect(before.fileValue(of: "a") == "one")
    }

    @Test("A delta follows the generation that it names, and a snapshot comes before all deltas")
    func checksChain() throws {
        let second = PayloadBytes(flags: 0, generation: 2, base: 1).finished
        let third = PayloadBytes(flags: 0, generation: 3, base: 2).finished
        #expect(throws: FormatError.self) { try MetadataState().applying(bytes: second) }
        #expect(throws: FormatError.self) {
            try MetadataState().applying(bytes: PayloadBytes(flags: 0, generation: 1, base: 0).finished)
        }
        #expect(throws: FormatError.self) { try state(after: [third]) }
        #expect(throws: FormatError.self) { try state(after: [second, second]) }
        #expect(try state(after: [second, third]).generation == 3)
    }

    @Test("A snapshot replaces all that was before it, whatever its generation")
    func restartsAtSnapshot() throws {
        let other = PayloadBytes(generation: 90).finished
        let state = try state(after: [other])
        #expect(state.generation == 90)
        #expect(state.deltaCount == 0)
        #expect(state.ids.isEmpty)
        #expect(state.schema.isEmpty)
        #expect(state.fileRecords.isEmpty)
        #expect(state.chainByteCount == other.count)
    }

    @Test("64 deltas follow a snapshot, and no 65th")
    func limitsDeltas() throws {
        var state = try state()
        for generation in UInt64(2)...65 {
            state = try state.applying(
                bytes: PayloadBytes(flags: 0, generation: generation, base: generation - 1).finished)
        }
        #expect(state.deltaCount == 64)
        let further = PayloadBytes(flags: 0, generation: 66, base: 65).finished
        #expect(throws: FormatError.self) { try state.applying(bytes: further) }
    }

    @Test("Records that delete mean nothing in a snapshot")
    func ignoresDeletesInSnapshot() throws {
        let bytes = PayloadBytes(records: 2).record(5, operation: 1, fields: 0).record(9, fields: 0).finished
        let state = try MetadataState().applying(bytes: bytes)
        #expect(state.ids == [9])
        #expect(state.recordCount == 1)
        #expect(state.fields(of: 5) == nil)
        #expect(state.fields(of: 9)?.isEmpty == true)
    }

    @Test("A writer that knows fields by number alone takes no name from them, and one that knows a name gives it")
    func keepsNames() throws {
        let byNumber = PayloadBytes(flags: 0, generation: 2, base: 1, schema: 1)
            .schema(1, type: 1, nullable: 0, "field.1").finished
        let renaming = PayloadBytes(flags: 0, generation: 3, base: 2, schema: 1)
            .schema(1, type: 1, nullable: 0, "title").finished
        #expect(try state(after: [byNumber]).schema[0].name == "a")
        let renamed = try state(after: [byNumber, renaming])
        #expect(renamed.schema[0] == MetadataField(id: 1, name: "title", type: .string, isNullable: true))
        #expect(renamed.value(of: "title", for: 1) == "x")
    }

    @Test("An entry for a field that is only removed or null says nothing of its type")
    func keepsTypes() throws {
        let delta = PayloadBytes(flags: 0, generation: 2, base: 1, schema: 1, records: 2)
            .schema(2, type: 1, nullable: 1, "field.2")
            .record(1, fields: 1).add(UInt16(2)).add([7]).record(2, fields: 1).add(UInt16(2)).add([0]).finished
        let state = try state(after: [delta])
        #expect(state.schema[1] == MetadataField(id: 2, name: "b", type: .bool, isNullable: true))
        #expect(state.value(of: "b", for: 2) == .null)
    }

    @Test("A field takes another type once no value of the former type is left, and not before")
    func changesTypes() throws {
        func delta(alsoSecond: Bool) -> [UInt8] {
            let bytes = PayloadBytes(flags: 0, generation: 2, base: 1, schema: 1, records: alsoSecond ? 2 : 1)
                .schema(2, type: 1, nullable: 0, "b")
                .record(1, fields: 1).add(UInt16(2)).content(Array("yes".utf8))
            if alsoSecond { bytes.record(2, fields: 1).add(UInt16(2)).content(Array("no".utf8)) }
            return bytes.finished
        }
        let state = try state(after: [delta(alsoSecond: true)])
        #expect(state.schema[1].type == .string)
        #expect(state.value(of: "b", for: 2) == "no")
        #expect(
            throws: FormatError(
                offset: 40, what: "field 2 becomes string, and vectors still have values of another type in it")
        ) { try self.state(after: [delta(alsoSecond: false)]) }
    }

    @Test("The snapshot of a state is the state")
    func snapshots() throws {
        let delta = PayloadBytes.withSchema(isDelta: true, records: 1)
            .record(9, fields: 1).add(UInt16(2)).add([6, 1]).finished
        let state = try state(after: [delta])
        let bytes = try state.snapshot(generation: 5).encoded()
        let again = try MetadataState().applying(bytes: bytes)
        #expect(again.ids == state.ids)
        #expect(again.schema == state.schema)
        #expect(again.fileRecords == state.fileRecords)
        #expect(try again.snapshot(generation: 5).encoded() == bytes)
    }
}
