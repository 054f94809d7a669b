import RVFStore

/// Puts a metadata payload together byte by byte, so that tests can say anything in it.
final class PayloadBytes {
    var body: [UInt8] = []

    /// The 40 bytes in front; of a full snapshot, unless told otherwise.
    init(
        flags: UInt16 = 1, generation: UInt64 = 1, base: UInt64 = .max, schema: UInt32 = 0, files: UInt32 = 0,
        records: UInt32 = 0
    ) {
        body = Array("RVFMETA\0".utf8)
        add(UInt16(1)).add(flags).add(generation).add(base).add(schema).add(files).add(records)
    }

    /// A payload with two fields: 1, nullable text, and 2, truth values.
    static func withSchema(isDelta: Bool = false, files: UInt32 = 0, records: UInt32 = 0) -> PayloadBytes {
        let payload =
            isDelta
            ? PayloadBytes(flags: 0, generation: 2, base: 1, schema: 2, files: files, records: records)
            : PayloadBytes(schema: 2, files: files, records: records)
        return payload.schema(1, type: 1, nullable: 1, "a").schema(2, type: 6, nullable: 0, "b")
    }

    /// Where the next byte will stand.
    var offset: Int { body.count }

    @discardableResult
    func add<Value: FixedWidthInteger>(_ value: Value) -> PayloadBytes {
        for byte in 0..<(Value.bitWidth / 8) { body.append(UInt8(truncatingIfNeeded: value >> Value(8 * byte))) }
        return self
    }

    @discardableResult
    func add(_ bytes: [UInt8]) -> PayloadBytes {
        body += bytes
        return self
    }

    @discardableResult
    func name(_ name: String) -> PayloadBytes {
        add(UInt16(name.utf8.count)).add(Array(name.utf8))
    }

    @discardableResult
    func schema(_ id: UInt16, type: UInt8, nullable: UInt8, _ name: String) -> PayloadBytes {
        add(id).add(type).add(nullable).name(name)
    }

    @discardableResult
    func record(_ id: UInt64, operation: UInt8 = 0, fields: UInt32) -> PayloadBytes {
        add(id).add(operation).add(fields)
    }

    /// Tag 1 or 2 with its content.
    @discardableResult
    func content(tag: UInt8 = 1, _ bytes: [UInt8]) -> PayloadBytes {
        add(tag).add(UInt32(bytes.count)).add(bytes)
    }

    /// All of it, with a footer that is right.
    var finished: [UInt8] {
        var bytes = body
        MetadataFooter.append(to: &bytes)
        return bytes
    }
}

/// Decodes. The macros of the tests cannot take a span, so that it is made here.
func decode(_ bytes: [UInt8]) throws(FormatError) -> MetadataPayload {
    try MetadataPayload(bytes.bytes)
}

/// Decodes; the error where the bytes are refused.
func decoding(_ bytes: [UInt8]) -> Result<MetadataPayload, FormatError> {
    do {
        return .success(try decode(bytes))
    } catch {
        return .failure(error)
    }
}

/// Where decoding finds fault; nil where it finds none.
func faultOffset(_ bytes: [UInt8]) -> Int? {
    if case .failure(let error) = decoding(bytes) { error.offset } else { nil }
}

extension MetadataState {
    func applying(bytes: [UInt8]) throws(FormatError) -> MetadataState {
        try applying(bytes.bytes)
    }
}

/// SplitMix64: the same numbers for the same seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
