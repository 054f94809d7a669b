/// A value as it stands in a payload.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u8 | tag: 0 null, 1 string, 2 bytes, 3 i64, 4 u64, 5 f64, 6 bool, 7 removed |
/// | 1 | u32, bytes | length and content, for tags 1 and 2; content of tag 1 is UTF-8 |
/// | 1 | 8 bytes | tags 3, 4 and 5; an f64 is finite |
/// | 1 | u8 | 0 or 1, for tag 6 |
struct MetadataEncodedValue {
    var tag: UInt8
    /// The bit pattern of a number, 0 or 1 of a bool.
    var bits: UInt64 = 0
    /// Where the content of a string or of bytes stands.
    var content = 0..<0
    /// Where the value ends.
    var end: Int

    private init(tag: UInt8, end: Int) {
        self.tag = tag
        self.end = end
    }

    /// What stands in for a value before there is one.
    static let none = MetadataEncodedValue(tag: MetadataTag.removed, end: 0)

    /// Reads a value that was checked when it came into memory.
    init(checked bytes: RawSpan, at offset: Int) {
        tag = bytes.integer(UInt8.self, at: offset)
        switch MetadataType(rawValue: tag) {
        case .string, .bytes:
            let length = Int(bytes.integer(UInt32.self, at: offset + 1))
            content = (offset + 5)..<(offset + 5 + length)
            end = offset + 5 + length
        case .int64, .uint64, .double:
            bits = bytes.integer(UInt64.self, at: offset + 1)
            end = offset + 9
        case .bool:
            bits = UInt64(bytes.integer(UInt8.self, at: offset + 1))
            end = offset + 2
        case nil:
            end = offset + 1
        }
    }

    /// Reads and checks a value. Whether it may stand where it does is for the caller to judge.
    init(_ cursor: inout MetadataCursor) throws(FormatError) {
        let place = cursor.offset
        tag = try cursor.next(UInt8.self, "a value's tag")
        switch tag {
        case MetadataTag.null, MetadataTag.removed: break
        case MetadataType.string.rawValue, MetadataType.bytes.rawValue:
            let length = Int(try cursor.next(UInt32.self, "a value's length"))
            guard length <= MetadataFormat.valueByteLimit else {
                throw FormatError(
                    offset: place + 1,
                    what: "a value of \(length) bytes; at most \(MetadataFormat.valueByteLimit) are allowed")
            }
            content = try cursor.skip(length, "a value")
            if tag == MetadataType.string.rawValue, !cursor.bytes.extracting(content).isUTF8 {
                throw FormatError(offset: content.lowerBound, what: "a string is not well-formed UTF-8")
            }
        case MetadataType.int64.rawValue, MetadataType.uint64.rawValue:
            bits = try cursor.next(UInt64.self, "a number")
        case MetadataType.double.rawValue:
            bits = try cursor.next(UInt64.self, "a number")
            guard Double(bitPattern: bits).isFinite else {
                throw FormatError(offset: place + 1, what: "a number that is not finite")
            }
        case MetadataType.bool.rawValue:
            bits = UInt64(try cursor.next(UInt8.self, "a truth value"))
            guard bits <= 1 else {
                throw FormatError(offset: place + 1, what: "a truth value of \(bits), neither 0 nor 1")
            }
        default:
            throw FormatError(offset: place, what: "a value of the unknown tag \(tag)")
        }
        end = cursor.offset
    }

    /// The value; nil for one that says that the field was removed.
    func decoded(in bytes: RawSpan) -> MetadataValue? {
        switch MetadataType(rawValue: tag) {
        case .string: .string(bytes.extracting(content).text ?? "")
        case .bytes: .bytes(bytes.copy(content))
        case .int64: .int64(Int64(bitPattern: bits))
        case .uint64: .uint64(bits)
        case .double: .double(Double(bitPattern: bits))
        case .bool: .bool(bits != 0)
        case nil: tag == MetadataTag.null ? .null : nil
        }
    }
}

extension [UInt8] {
    /// Appends a value; nil says that the field is not there any more.
    mutating func append(metadata value: MetadataValue?) {
        append(value.map { $0.type?.rawValue ?? MetadataTag.null } ?? MetadataTag.removed)
        switch value {
        case nil, .null: break
        case .string(let text):
            append(littleEndian: UInt32(truncatingIfNeeded: text.utf8.count))
            append(contentsOf: text.utf8)
        case .bytes(let bytes):
            append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
            append(contentsOf: bytes)
        case .int64(let number): append(littleEndian: number)
        case .uint64(let number): append(littleEndian: number)
        case .double(let number): append(littleEndian: number.bitPattern)
        case .bool(let truth): append(truth ? 1 : 0)
        }
    }

    mutating func append(metadataName name: String) {
        append(littleEndian: UInt16(truncatingIfNeeded: name.utf8.count))
        append(contentsOf: name.utf8)
    }

    mutating func append(contentsOf bytes: RawSpan) {
        // The bytes are copied while the span lends them.
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}
