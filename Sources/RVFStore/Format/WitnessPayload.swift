/// The payload of a witness: one line of a store's history, chained to the line before.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u8 | kind: 0 provenance, 1 computation |
/// | 1 | u64 | timestamp, nanoseconds since 1970 |
/// | 9 | u32 | length n of the action |
/// | 13 | n bytes | action, UTF-8 |
/// | 13 + n | 32 bytes | ``WitnessHash`` of the previous witness's payload; zeros for the first of a chain |
package struct WitnessPayload: Equatable, Sendable {
    package static let provenance: UInt8 = 0
    package static let computation: UInt8 = 1

    package var kind: UInt8
    package var timestampNanoseconds: UInt64
    package var action: String
    package var previousHash: WitnessHash

    package init(kind: UInt8, timestampNanoseconds: UInt64, action: String, previousHash: WitnessHash) {
        self.kind = kind
        self.timestampNanoseconds = timestampNanoseconds
        self.action = action
        self.previousHash = previousHash
    }

    /// Bytes that are no UTF-8 become replacement characters; bytes after the hash are ignored.
    package init(_ payload: RawSpan) throws(FormatError) {
        var reader = FieldReader(payload)
        kind = try reader.next(UInt8.self, "the kind")
        timestampNanoseconds = try reader.next(UInt64.self, "the timestamp")
        let length = try reader.next(UInt32.self, "the action's length")
        try reader.requireItems(length, ofBytes: 1, "bytes of action")
        action = String(decoding: try reader.bytes(Int(length), "the action"), as: UTF8.self)
        previousHash = WitnessHash(bytes: try reader.bytes(WitnessHash.byteCount, "the previous hash"))
    }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(kind)
        bytes.append(littleEndian: timestampNanoseconds)
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: action.utf8.count))
        bytes.append(contentsOf: action.utf8)
        bytes.append(contentsOf: previousHash.bytes)
        return bytes
    }
}
