import RVFStore
import Testing

@Suite struct MetadataPayloadTests {
    private static func hex(_ text: String) -> [UInt8] {
        let digits = text.filter { !$0.isWhitespace }.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(16 * digits[$0] + digits[$0 + 1]) }
    }

    @Test("A payload made by hand, and hashed by another program, says what it says")
    func decodesGoldenBytes() throws {
        let bytes = Self.hex(
            """
            5256464d45544100010001000700000000000000ffffffffffffffff0200000001000000020000000100010105007469746c
            650200060004006c69766505006d6f64656c01030000006162630a000000000000000002000000010000020006010b000000
            00000000000100000001000102000000c3a9525646444f4e4500bdaca4ae51120350e48c40f2825976d84d9ba17f193e1673
            c91ac7a38ba204ee
            """)
        let payload = try decode(bytes)
        #expect(payload.generation == 7)
        #expect(payload.isSnapshot)
        #expect(
            payload.schema == [
                MetadataField(id: 1, name: "title", type: .string, isNullable: true),
                MetadataField(id: 2, name: "live", type: .bool, isNullable: false),
            ])
        #expect(payload.fileRecords == [MetadataFileRecord(key: "model", value: "abc")])
        #expect(payload.records.ids == [10, 11])
        let state = try MetadataState().applying(bytes: bytes)
        #expect(state.value(of: "title", for: 10) == .null)
        #expect(state.value(of: "live", for: 10) == true)
        #expect(state.value(of: "title", for: 11) == "é")
        #expect(state.value(of: "live", for: 11) == nil)
        #expect(try payload.encoded() == bytes)
    }

    @Test("An empty snapshot is 80 bytes")
    func encodesNothing() throws {
        let payload = MetadataPayload(
            generation: 1, baseGeneration: nil, schema: [], fileRecords: [], records: MetadataRecords())
        let bytes = try payload.encoded()
        #expect(bytes.count == 80)
        #expect(try decode(bytes) == payload)
    }

    @Test("Every kind of value comes back as it was written, from a snapshot and from a delta")
    func roundTripsValues() throws {
        let values: [MetadataValue] = [
            .null, "", "text", .string(String(repeating: "ü", count: 40_000)), .bytes([]), .bytes([0, 255, 10]),
            .int64(.min), .int64(.max), .uint64(.max), .double(-0.0), .double(.greatestFiniteMagnitude),
            .double(.leastNonzeroMagnitude), .bool(true), .bool(false),
        ]
        for isDelta in [false, true] {
            let records = values.enumerated().map { MetadataFileRecord(key: "key\($0.offset + 10)", value: $0.element) }
            let payload = MetadataPayload(
                generation: 9, baseGeneration: isDelta ? 8 : nil, schema: [], fileRecords: records,
                records: MetadataRecords())
            #expect(try decode(payload.encoded()) == payload)
        }
    }

    @Test("Keys are ordered and told apart by their bytes, not by how they read")
    func comparesKeysByBytes() throws {
        // The same character, composed and decomposed; by bytes the decomposed one is the lower.
        let keys = ["e\u{301}", "\u{E9}"]
        let records = keys.map { MetadataFileRecord(key: $0, value: 1) }
        func payload(_ records: [MetadataFileRecord]) -> MetadataPayload {
            MetadataPayload(
                generation: 1, baseGeneration: nil, schema: [], fileRecords: records, records: MetadataRecords())
        }
        let decoded = try decode(payload(records).encoded())
        #expect(decoded.fileRecords.map { Array($0.key.utf8) } == keys.map { Array($0.utf8) })
        #expect(throws: FormatError.self) { try payload(records.reversed()).encoded() }
    }

    @Test("Records that delete are kept by the codec, in a snapshot too")
    func keepsDeletes() throws {
        for flags in [UInt16(0), 1] {
            let bytes = PayloadBytes(flags: flags, base: flags == 1 ? .max : 0, records: 2)
                .record(5, operation: 1, fields: 0).record(9, fields: 0).finished
            let payload = try decode(bytes)
            #expect(payload.records.ids == [5, 9])
            #expect(payload.records.isDelete(at: 0))
            #expect(!payload.records.isDelete(at: 1))
            #expect(try payload.encoded() == bytes)
        }
    }
}
