import Testing

@testable import RVFLock

@Suite struct RecordTests {
    private let writer = WriterID(bytes: (0..<16).map { UInt8($0 * 17) })!

    private func record(_ host: [UInt8], isGuarded: Bool = false) -> LockRecord {
        LockRecord(
            processID: 4711, hostName: host, timestampNanoseconds: 0x1122_3344_5566_7788, writerID: writer,
            isGuarded: isGuarded)
    }

    @Test("The bytes lie where the format puts them")
    func goldenBytes() {
        var expected: [UInt8] = [0x46, 0x4C, 0x56, 0x52, 0x67, 0x12, 0, 0]
        expected += Array("build-7".utf8) + [UInt8](repeating: 0, count: 56) + [1]
        expected += [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]
        expected += (0..<16).map { UInt8($0 * 17) }
        expected += [1, 0, 0, 0]
        // Not with the library's own CRC.
        let checksum = Self.bitwiseCRC(expected, polynomial: 0xEDB8_8320)
        expected += (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * UInt32($0))) }
        #expect(record(Array("build-7".utf8), isGuarded: true).encoded() == expected)
        #expect(expected.count == LockRecord.byteCount)
        let reading = LockRecordReading(expected)
        #expect(reading.record == record(Array("build-7".utf8), isGuarded: true))
        #expect(reading.problems.isEmpty)
    }

    @Test("The checksum is CRC-32, and a record with CRC-32C is read with that one problem")
    func checksumKind() {
        #expect(Self.bitwiseCRC(Array("123456789".utf8), polynomial: 0xEDB8_8320) == 0xCBF4_3926)
        #expect(Self.bitwiseCRC(Array("123456789".utf8), polynomial: 0x82F6_3B78) == 0xE306_9283)
        var bytes = record(Array("a".utf8)).encoded()
        let castagnoli = Self.bitwiseCRC(Array(bytes[..<0x64]), polynomial: 0x82F6_3B78)
        for index in 0..<4 { bytes[0x64 + index] = UInt8(truncatingIfNeeded: castagnoli >> (8 * UInt32(index))) }
        let reading = LockRecordReading(bytes)
        #expect(reading.problems == .checksum)
        #expect(reading.record == record(Array("a".utf8)))
    }

    @Test("Host names are cut to 62 bytes wherever that falls", arguments: [0, 1, 61, 62, 63, 64, 300])
    func hostNameLengths(length: Int) {
        for filler: [UInt8] in [[0x61], Array("ü".utf8), [0xFF], [0x80, 0xC3]] {
            let name = (0..<length).map { filler[$0 % filler.count] }
            let bytes = record(name, isGuarded: true).encoded()
            #expect(bytes.count == 104)
            #expect(bytes[0x08 + 62] == 0)
            #expect(bytes[0x47] == 1)
            let read = LockRecordReading(bytes)
            #expect(read.problems.isEmpty)
            #expect(read.record?.hostName == Array(name.prefix(62)))
            #expect(read.record?.isGuarded == true)
            #expect(LockHolder(record: read.record!).description.contains("process 4711"))
        }
    }

    @Test("A name ends at its first zero byte, in writing as in reading")
    func hostNameWithZero() {
        let bytes = record([0x61, 0, 0x62]).encoded()
        #expect(bytes[0x08..<0x48].elementsEqual([0x61] + [UInt8](repeating: 0, count: 63)))
        var dirty = bytes
        dirty[0x20] = 0x7A
        #expect(LockRecordReading(dirty).record?.hostName == [0x61])
    }

    @Test("Only 1 in the guard byte is a guard, and only behind a name that leaves room for it")
    func guardByte() {
        for (value, isGuarded) in [(UInt8(0), false), (1, true), (2, false), (7, false), (255, false)] {
            var bytes = record(Array("a".utf8)).encoded()
            bytes[0x47] = value
            #expect(LockRecordReading(bytes).record?.isGuarded == isGuarded)
        }
        var full = record([UInt8](repeating: 0x61, count: 62)).encoded()
        full[0x47] = 1
        #expect(LockRecordReading(full).record?.isGuarded == true)
        full[0x46] = 0x61
        let noRoom = LockRecordReading(full).record
        #expect(noRoom?.isGuarded == false)
        #expect(noRoom?.hostName.count == 64)
    }

    @Test("What is wrong with a file is all said, and never more", arguments: [0, 1, 50, 103, 104, 105, 1000])
    func sizes(size: Int) {
        let good = record(Array("a".utf8)).encoded()
        let bytes = Array((good + [UInt8](repeating: 9, count: 1000)).prefix(size))
        let reading = LockRecordReading(Array(bytes.prefix(104)), fileBytes: Int64(size))
        #expect(reading.problems == (size == 104 ? [] : .size))
        #expect((reading.record == nil) == (size < 104))
        #expect(reading.isEmpty == (size == 0))
        // A file of billions of bytes is judged by its first ones.
        #expect(LockRecordReading(good, fileBytes: 1 << 40).problems == .size)
    }

    @Test("Magic and version are looked at", arguments: [UInt32(0), 2, .max])
    func versions(version: UInt32) {
        var other = record(Array("a".utf8))
        other.version = version
        let reading = LockRecordReading(other.encoded())
        #expect(reading.problems == .version)
        #expect(reading.record?.version == version)
        var bytes = other.encoded()
        bytes[0] ^= 0x20
        #expect(LockRecordReading(bytes).problems == [.magic, .checksum, .version])
        #expect(LockRecordReading(bytes).record == nil)
    }

    @Test("Any bytes can be read, and what is accepted means the same when it is written again")
    func randomBytes() {
        for seed in UInt64(0)..<100_000 {
            var random = Seeded(seed)
            var bytes = random.bytes(seed % 4 == 0 ? Int(random.next() % 130) : 104)
            if seed % 2 == 0, bytes.count == 104 {
                bytes.replaceSubrange(0..<4, with: [0x46, 0x4C, 0x56, 0x52])
                if seed % 3 == 0 { bytes.replaceSubrange(0x60..<0x64, with: [1, 0, 0, 0]) }
                let checksum = RecordBytes(bytes)!.computedChecksum
                for index in 0..<4 { bytes[0x64 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index))) }
            }
            let reading = LockRecordReading(Array(bytes.prefix(104)), fileBytes: Int64(bytes.count))
            guard let record = reading.record else { continue }
            var canonical = record
            canonical.hostName = Array(LockRecord.storedName(of: record.hostName))
            let again = LockRecordReading(record.encoded())
            if again.record != canonical || !again.problems.subtracting(.version).isEmpty {
                Issue.record("seed \(seed)")
                return
            }
        }
    }

    @Test("Writer ids are 16 bytes, or 32 hexadecimal digits")
    func writerIDs() {
        let text = "00112233445566778899aabbccddeeff"
        #expect(writer.description == text)
        #expect(WriterID(hexadecimal: text.uppercased()) == writer)
        #expect(writer.bytes == (0..<16).map { UInt8($0 * 17) })
        for bad in ["", "0", text + "0", String(text.dropLast()), text.replacing("a", with: "g"), "ä" + text.dropFirst(2)] {
            #expect(WriterID(hexadecimal: bad) == nil, "\(bad)")
        }
        #expect(WriterID(bytes: [1, 2, 3]) == nil)
    }

    static func bitwiseCRC(_ bytes: [UInt8], polynomial: UInt32) -> UInt32 {
        ~bytes.reduce(UInt32.max) { state, byte in
            (0..<8).reduce(state ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ polynomial : value >> 1 }
        }
    }
}
