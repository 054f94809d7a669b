/// Reads the fields of a metadata payload one after another. Unlike a ``FieldReader`` it gives long fields as ranges
/// of the bytes, so that they are checked and passed over without being copied.
struct MetadataCursor: ~Escapable {
    let bytes: RawSpan
    private(set) var offset: Int

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    var remainingBytes: Int { bytes.byteCount - offset }

    @_lifetime(self: copy self)
    mutating func next<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type, _ what: StaticString
    ) throws(FormatError) -> Value {
        try require(MemoryLayout<Value>.size, what)
        let value = bytes.integer(type, at: offset)
        offset += MemoryLayout<Value>.size
        return value
    }

    /// Passes over bytes and says where they are.
    @_lifetime(self: copy self)
    mutating func skip(_ count: Int, _ what: StaticString) throws(FormatError) -> Range<Int> {
        try require(count, what)
        defer { offset += count }
        return offset..<(offset + count)
    }

    /// A count, no higher than the limit nor than what the bytes that are left can hold.
    @_lifetime(self: copy self)
    mutating func count(
        limit: Int, _ what: StaticString
    ) throws(FormatError) -> Int {
        let place = offset
        let count = Int(try next(UInt32.self, what))
        guard count <= limit else {
            throw FormatError(offset: place, what: "\(count) is given as \(what); at most \(limit) are allowed")
        }
        return count
    }

    /// Checks that a counted list is really there, before anybody allocates for it.
    func requireItems(_ count: Int, ofBytes stride: Int, _ what: StaticString) throws(FormatError) {
        guard count <= remainingBytes / stride else {
            throw FormatError(
                offset: offset,
                what: "\(count) \(what) of at least \(stride) bytes each, but only \(remainingBytes) bytes are left")
        }
    }

    /// A name or key: u16 length and UTF-8.
    @_lifetime(self: copy self)
    mutating func name(_ what: StaticString) throws(FormatError) -> String {
        let place = offset
        let length = Int(try next(UInt16.self, what))
        guard length <= MetadataFormat.nameByteLimit else {
            throw FormatError(
                offset: place, what: "\(what) of \(length) bytes; at most \(MetadataFormat.nameByteLimit) are allowed")
        }
        let range = try skip(length, what)
        guard let text = bytes.extracting(range).text else {
            throw FormatError(offset: range.lowerBound, what: "\(what) is not well-formed UTF-8")
        }
        return text
    }

    private func require(_ count: Int, _ what: StaticString) throws(FormatError) {
        if count > remainingBytes {
            throw FormatError(
                offset: offset, what: "\(what) needs \(count) bytes, but only \(remainingBytes) are left")
        }
    }
}
