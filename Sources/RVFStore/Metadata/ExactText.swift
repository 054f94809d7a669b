/// A name or key that is compared by its UTF-8 bytes, as the file orders names. Swift's strings take different bytes
/// for equal where they mean the same characters; a file can hold both.
struct ExactText: Hashable, Comparable, Sendable {
    var string: String

    init(_ string: String) {
        self.string = string
    }

    static func == (left: ExactText, right: ExactText) -> Bool {
        left.string.utf8.elementsEqual(right.string.utf8)
    }

    static func < (left: ExactText, right: ExactText) -> Bool {
        left.string.utf8.lexicographicallyPrecedes(right.string.utf8)
    }

    func hash(into hasher: inout Hasher) {
        var text = string
        // The hasher reads the bytes while the string lends them.
        text.withUTF8 { unsafe hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // No byte of UTF-8: what follows cannot be taken for more of the text.
        hasher.combine(0xFF as UInt8)
    }
}

extension RawSpan {
    /// Whether the bytes are well-formed UTF-8.
    var isUTF8: Bool {
        var offset = 0
        while offset + 8 <= byteCount, integer(UInt64.self, at: offset) & 0x8080_8080_8080_8080 == 0 { offset += 8 }
        while offset < byteCount, integer(UInt8.self, at: offset) < 0x80 { offset += 1 }
        return offset == byteCount || extracting(offset..<byteCount).text != nil
    }

    /// The bytes as a string; nil where they are not well-formed UTF-8.
    var text: String? {
        // The string is a copy, made while the span lends the bytes.
        unsafe withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
    }
}
