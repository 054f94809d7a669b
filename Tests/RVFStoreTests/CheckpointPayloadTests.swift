import RVFReference
import RVFStore
import Testing

@Suite("Checkpoint payloads")
struct CheckpointPayloadTests {
    /// A payload as the format page says, made without the library.
    private func payload(
        magic: [UInt8] = Array("RVFCKPT".utf8) + [0], version: UInt64 = 1, deleted: [UInt64] = [3, 9],
        current: [UInt8]? = nil
    ) -> [UInt8] {
        var bytes = magic + little(version, 2) + little(1, 2) + [UInt8](1...16)
        bytes += little(77, 8) + little(2, 4) + [UInt8](repeating: 5, count: 32)
        bytes += little(UInt64(deleted.count), 4) + deleted.flatMap { little($0, 8) }
        return bytes + (current ?? list([("a", 5, [1, 2]), ("b", 1, [])])) + list([("a", 4, [1])])
    }

    private func list(_ items: [(String, UInt64, [UInt8])]) -> [UInt8] {
        little(UInt64(items.count), 4) + items.flatMap { (name, count, offset) -> [UInt8] in
            [UInt8(truncatingIfNeeded: name.utf8.count)] + little(UInt64(offset.count), 2) + little(count, 8)
                + Array(name.utf8) + offset
        }
    }

    @Test("what the page says is read, and written again byte for byte")
    func roundTrip() throws {
        let bytes = payload()
        let decoded = try CheckpointPayload(bytes.bytes)
        #expect(decoded.generation == 77 && decoded.isProvable && decoded.fileID == [UInt8](1...16))
        #expect(decoded.current.all == [Checkpoint(source: "a", count: 5, offset: [1, 2]), Checkpoint(source: "b", count: 1)])
        #expect(decoded.prior["a"]?.count == 4 && decoded.prior["b"] == nil)
        #expect(decoded.encoded == bytes && decoded.encodedByteCount == bytes.count)
    }

    @Test("no part is taken for a whole one, nor is anything that follows")
    func parts() {
        let bytes = payload()
        for length in 0..<bytes.count {
            #expect(throws: FormatError.self) { try CheckpointPayload(Array(bytes[..<length]).bytes) }
        }
        #expect(throws: FormatError.self) { try CheckpointPayload((bytes + [0]).bytes) }
    }

    @Test("what is against the rules is refused")
    func malformed() {
        let cases = [
            payload(magic: Array("RVFCKPU".utf8) + [0]), payload(version: 2), payload(deleted: [9, 3]),
            payload(deleted: [3, 3]), payload(current: list([("b", 1, []), ("a", 1, [])])),
            payload(current: list([("a", 1, []), ("a", 1, [])])), payload(current: list([("", 1, [])])),
            payload(current: list([("a", 1, [UInt8](repeating: 0, count: 4097))])),
            payload(current: little(1, 4) + [1, 0, 0] + little(1, 8) + [0xFF]), payload(current: little(0xFFFF_FFFF, 4)),
        ]
        for (number, bytes) in cases.enumerated() {
            #expect(throws: FormatError.self, "case \(number)") { try CheckpointPayload(bytes.bytes) }
        }
    }

    @Test("any bytes are refused or read, and what is read is written as it was", arguments: 0..<4 as Range<UInt64>)
    func anyBytes(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let honest = payload()
        for _ in 0..<3000 {
            var bytes = honest
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            guard let decoded = try? CheckpointPayload(bytes.bytes) else { continue }
            // Flags that nobody knows are not kept.
            bytes[10] &= 1
            bytes[11] = 0
            #expect(decoded.encoded == bytes, "seed \(seed)")
        }
    }
}
