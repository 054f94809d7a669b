extension RawSpan {
    /// The little-endian integer at an offset that the caller has checked; the span traps outside its bounds.
    @inline(__always)
    func integer<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
        // Every pattern of bits is a value of an integer type, and the load is made for unaligned places.
        unsafe Value(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The little-endian float at an offset that the caller has checked; the span traps outside its bounds.
    @inline(__always)
    func float(at offset: Int) -> Float {
        Float(bitPattern: integer(UInt32.self, at: offset))
    }

    /// A copy of some bytes, for small fields such as identities.
    func copy(_ range: Range<Int>) -> [UInt8] {
        let part = extracting(range)
        // The bytes are copied while the span lends them.
        return unsafe part.withUnsafeBytes { unsafe Array($0) }
    }
}

extension [UInt8] {
    /// The array's bytes, for codecs.
    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // Bytes have no padding between or in them that could be uninitialised.
            unsafe span.bytes
        }
    }

    /// Appends an integer in little-endian order.
    mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
        // An integer's own bytes, copied while the local lends them.
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }
}

/// Reads a payload's fields one after another and refuses to go beyond its end.
struct FieldReader: ~Escapable {
    private let bytes: RawSpan
    private(set) var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    var remainingBytes: Int { bytes.byteCount - offset }

    @_lifetime(self: copy self)
    @inline(__always)
    mutating func next<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type, _ what: StaticString
    ) throws(FormatError) -> Value {
        try require(MemoryLayout<Value>.size, what)
        let value = bytes.integer(type, at: offset)
        offset += MemoryLayout<Value>.size
        return value
    }

    @_lifetime(self: copy self)
    mutating func bytes(_ count: Int, _ what: StaticString) throws(FormatError) -> [UInt8] {
        try require(count, what)
        let copy = bytes.copy(offset..<(offset + count))
        offset += count
        return copy
    }

    /// Checks that a counted list is really there, before anybody allocates for it.
    func requireItems(_ count: UInt32, ofBytes stride: Int, _ what: StaticString) throws(FormatError) {
        let (needed, overflow) = Int(count).multipliedReportingOverflow(by: stride)
        if overflow || needed > remainingBytes {
            throw FormatError(
                offset: offset,
                what: "\(count) \(what) of \(stride) bytes each, but only \(remainingBytes) bytes are left")
        }
    }

    @inline(__always)
    private func require(_ count: Int, _ what: StaticString) throws(FormatError) {
        if count < 0 || count > remainingBytes { throw shortage(count, what) }
    }

    /// Apart from the check, which thousands of fields pass at every refresh.
    @inline(never)
    private func shortage(_ count: Int, _ what: StaticString) -> FormatError {
        FormatError(offset: offset, what: "\(what) needs \(count) bytes, but only \(remainingBytes) are left")
    }
}

#if _endian(big)
    // Components are copied between memory and file as they are.
    #error("this package needs a little-endian processor")
#endif
