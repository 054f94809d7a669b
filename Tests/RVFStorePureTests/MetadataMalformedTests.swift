import RVFStore
import Testing

@Suite struct MetadataMalformedTests {
    @Test("The header is refused where it is wrong")
    func refusesHeader() {
        func fault(_ change: (inout [UInt8]) -> Void) -> Int? {
            let payload = PayloadBytes()
            change(&payload.body)
            return faultOffset(payload.finished)
        }
        #expect(fault { _ in } == nil)
        #expect(fault { $0[0] = 0 } == 0)
        #expect(fault { $0[8] = 2 } == 8)
        #expect(fault { $0[9] = 1 } == 8)
        #expect(fault { $0[10] = 3 } == 10)
        #expect(fault { $0[11] = 0x80 } == 10)
        #expect(faultOffset(PayloadBytes(flags: 1, base: 0).finished) == 20)
        #expect(faultOffset(PayloadBytes(flags: 0, generation: 0).finished) == 20)
        #expect(faultOffset(PayloadBytes(flags: 0, generation: 3, base: 1).finished) == 12)
        #expect(faultOffset(PayloadBytes(flags: 0, generation: 1, base: 1).finished) == 12)
        #expect(faultOffset(PayloadBytes(flags: 0, generation: .max, base: .max - 1).finished) == nil)
    }

    @Test("Counts beyond the limits, or beyond the bytes that are there, are refused")
    func refusesCounts() {
        #expect(faultOffset(PayloadBytes(schema: 65_537).finished) == 28)
        #expect(faultOffset(PayloadBytes(files: 65_537).finished) == 32)
        #expect(faultOffset(PayloadBytes(records: 16_777_217).finished) == 36)
        #expect(faultOffset(PayloadBytes(schema: .max).finished) == 28)
        for payload in [PayloadBytes(schema: 65_536), PayloadBytes(files: 65_536), PayloadBytes(records: 16_777_216)] {
            #expect(faultOffset(payload.finished) == 40)
        }
        #expect(faultOffset(PayloadBytes.withSchema(records: 1).record(1, fields: 65_537).finished) == 54 + 9)
        #expect(faultOffset(PayloadBytes.withSchema(records: 1).record(1, fields: 2).finished) == 54 + 13)
        #expect(faultOffset(PayloadBytes.withSchema(records: 1).record(1, fields: 1).add([0, 0]).finished) == 54 + 13)
    }

    @Test("Schema entries are refused that are out of order, of an unknown kind, or without a name")
    func refusesSchema() {
        func fault(_ add: (PayloadBytes) -> PayloadBytes) -> Int? {
            faultOffset(add(PayloadBytes(schema: 2).schema(5, type: 1, nullable: 0, "x")).finished)
        }
        #expect(fault { $0.schema(6, type: 1, nullable: 0, "x") } == nil)
        #expect(fault { $0.schema(5, type: 1, nullable: 0, "y") } == 47)
        #expect(fault { $0.schema(4, type: 1, nullable: 0, "y") } == 47)
        #expect(fault { $0.schema(6, type: 0, nullable: 0, "y") } == 49)
        #expect(fault { $0.schema(6, type: 7, nullable: 0, "y") } == 49)
        #expect(fault { $0.schema(6, type: 1, nullable: 2, "y") } == 50)
        #expect(fault { $0.add(UInt16(6)).add([1, 0, 0, 0]).add([UInt8](repeating: 0, count: 9)) } == 51)
        #expect(fault { $0.add(UInt16(6)).add([1, 0, 1, 0, 0xFF]) } == 53)
        #expect(fault { $0.add(UInt16(6)).add([1, 0, 9, 0, 0x61]) } == 53)
    }

    @Test("A name takes 4,096 bytes and no more")
    func limitsNames() {
        func fault(_ count: Int) -> Int? {
            faultOffset(
                PayloadBytes(schema: 1).schema(0, type: 1, nullable: 0, String(repeating: "n", count: count)).finished)
        }
        #expect(fault(4_096) == nil)
        #expect(fault(4_097) == 44)
    }

    @Test("File records are refused whose keys do not rise or are not UTF-8")
    func refusesFileRecords() {
        func fault(_ keys: [[UInt8]]) -> Int? {
            let payload = PayloadBytes(files: UInt32(keys.count))
            for key in keys { payload.add(UInt16(key.count)).add(key).add([0]) }
            return faultOffset(payload.finished)
        }
        #expect(fault([[], [0x61], [0x61, 0x62], [0x62]]) == nil)
        #expect(fault([[0x61], [0x61]]) == 44)
        #expect(fault([[0x62], [0x61]]) == 44)
        #expect(fault([[0x61, 0x62], [0x61]]) == 45)
        #expect(fault([[0xC3]]) == 42)
        #expect(faultOffset(PayloadBytes(files: 1).name("k").add([7]).finished) == 43)
        #expect(faultOffset(PayloadBytes(flags: 0, base: 0, files: 1).name("k").add([7]).finished) == nil)
    }

    @Test("Values are refused that are of an unknown tag, not finite, not UTF-8, or neither true nor false")
    func refusesValues() {
        func fault(_ value: [UInt8]) -> Int? {
            faultOffset(PayloadBytes(files: 1).name("k").add(value).finished)
        }
        func double(_ number: Double) -> [UInt8] { PayloadBytes().add([5]).add(number.bitPattern).body.suffix(9) }
        #expect(fault([0]) == nil)
        #expect(fault([8]) == 43)
        #expect(fault([255]) == 43)
        #expect(fault([6, 1]) == nil)
        #expect(fault([6, 2]) == 44)
        #expect(fault(double(1.5)) == nil)
        for number in [Double.infinity, -.infinity, .nan, .signalingNaN] { #expect(fault(double(number)) == 44) }
        #expect(fault([1, 2, 0, 0, 0, 0xC3, 0xA9]) == nil)
        #expect(fault([1, 2, 0, 0, 0, 0xC3, 0x28]) == 48)
        #expect(fault([2, 2, 0, 0, 0, 0xC3, 0x28]) == nil)
        #expect(fault([1, 0xFF, 0xFF, 0xFF, 0xFF]) == 44)
        #expect(fault([1, 9, 0, 0, 0, 0x61]) == 48)
        #expect(fault([3, 0, 0]) == 44)
    }

    @Test("A value takes 16 MiB and no more")
    func limitsValues() {
        for tag in [UInt8(1), 2] {
            let most = [UInt8](repeating: 0x61, count: 16 << 20)
            #expect(faultOffset(PayloadBytes(files: 1).name("k").content(tag: tag, most).finished) == nil)
            #expect(faultOffset(PayloadBytes(files: 1).name("k").content(tag: tag, most + [0x61]).finished) == 44)
        }
    }

    @Test("Vector records are refused that are out of order or of an unknown operation")
    func refusesRecords() {
        func fault(_ count: UInt32, _ add: (PayloadBytes) -> PayloadBytes) -> Int? {
            faultOffset(add(PayloadBytes.withSchema(records: count)).finished)
        }
        #expect(fault(2) { $0.record(1, fields: 0).record(2, fields: 0) } == nil)
        #expect(fault(2) { $0.record(2, fields: 0).record(2, fields: 0) } == 67)
        #expect(fault(2) { $0.record(2, fields: 0).record(1, fields: 0) } == 67)
        #expect(fault(1) { $0.record(1, operation: 2, fields: 0) } == 62)
        #expect(fault(1) { $0.record(1, operation: 1, fields: 0) } == nil)
        #expect(fault(1) { $0.record(1, operation: 1, fields: 1).add(UInt16(1)).add([0]) } == 63)
    }

    @Test("Fields are refused that are out of order, not in the schema, of another type, or null where they may not be")
    func refusesFields() {
        func fault(isDelta: Bool = false, _ count: UInt32, _ add: (PayloadBytes) -> PayloadBytes) -> Int? {
            faultOffset(add(PayloadBytes.withSchema(isDelta: isDelta, records: 1).record(1, fields: count)).finished)
        }
        #expect(fault(2) { $0.add(UInt16(1)).add([0]).add(UInt16(2)).add([6, 1]) } == nil)
        #expect(fault(2) { $0.add(UInt16(2)).add([6, 1]).add(UInt16(1)).add([0]) } == 71)
        #expect(fault(2) { $0.add(UInt16(1)).add([0]).add(UInt16(1)).add([0]) } == 70)
        #expect(fault(1) { $0.add(UInt16(0)).add([0]) } == 67)
        #expect(fault(1) { $0.add(UInt16(3)).add([0]) } == 67)
        #expect(fault(1) { $0.add(UInt16(2)).add([0]) } == 69)
        #expect(fault(1) { $0.add(UInt16(1)).add([6, 1]) } == 69)
        #expect(fault(1) { $0.add(UInt16(2)).content([]) } == 69)
        #expect(fault(1) { $0.add(UInt16(1)).add([7]) } == 69)
        #expect(fault(isDelta: true, 1) { $0.add(UInt16(1)).add([7]) } == nil)
        #expect(fault(isDelta: true, 1) { $0.add(UInt16(2)).add([7]) } == nil)
    }

    @Test("Bytes between the last record and the footer are refused")
    func refusesTrailingBytes() {
        #expect(faultOffset(PayloadBytes().add([0]).finished) == 40)
    }

    @Test("A footer that is not one, or has another hash, is refused")
    func refusesFooter() {
        var bytes = PayloadBytes().finished
        bytes[40] ^= 1
        #expect(faultOffset(bytes) == 40)
        bytes[40] ^= 1
        bytes[79] ^= 1
        #expect(faultOffset(bytes) == 48)
    }

    @Test("A payload of more than 256 MiB is refused before it is looked at")
    func refusesLength() {
        #expect(faultOffset([UInt8](repeating: 0, count: (256 << 20) + 1)) == 256 << 20)
    }
}
