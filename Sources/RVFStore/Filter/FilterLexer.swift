/// Takes a filter's text apart.
struct FilterLexer {
    private let bytes: [UInt8]
    fileprivate(set) var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The next token and where it begins, in bytes.
    mutating func next() throws(FilterError) -> (token: FilterToken, offset: Int) {
        while let byte = peek, byte == 0x20 || (0x09...0x0D).contains(byte) { offset += 1 }
        let start = offset
        guard let byte = peek else { return (.end, start) }
        let token =
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): try string(closedBy: byte)
            case UInt8(ascii: "`"): try quotedName()
            case _ where FilterToken.beginsName(byte): plainName()
            case _ where FilterToken.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+"):
                try number()
            default: try symbol()
            }
        return (token, start)
    }

    func error(at place: Int, _ what: String) -> FilterError {
        FilterError(column: FilterError.column(of: place, in: bytes), what: what)
    }

    fileprivate var peek: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    fileprivate func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    private mutating func plainName() -> FilterToken {
        let start = offset
        while let byte = peek, FilterToken.continuesName(byte) { offset += 1 }
        let text = text(start..<offset)
        return FilterToken.Word(text).map(FilterToken.word) ?? .name(text)
    }

    private mutating func quotedName() throws(FilterError) -> FilterToken {
        let start = offset
        let quote = UInt8(ascii: "`")
        var name: [UInt8] = []
        offset += 1
        while let byte = peek {
            offset += 1
            if byte == quote {
                guard peek == quote else { return .name(String(decoding: name, as: UTF8.self)) }
                offset += 1
            }
            name.append(byte)
        }
        throw error(at: start, "a name that begins here with ` does not end")
    }

    private mutating func symbol() throws(FilterError) -> FilterToken {
        let start = offset
        // Two characters before one, so that "<=" is not taken for "<".
        for length in [2, 1] where start + length <= bytes.count {
            guard let symbol = FilterToken.Symbol(rawValue: text(start..<(start + length))) else { continue }
            offset += length
            return .symbol(symbol)
        }
        throw error(
            at: start, "a character that means nothing here; text stands in quotes, unusual names in back quotes")
    }

    private mutating func digits() -> Bool {
        let start = offset
        while let byte = peek, FilterToken.isDigit(byte) { offset += 1 }
        return offset > start
    }

    private mutating func number() throws(FilterError) -> FilterToken {
        let start = offset
        if !FilterToken.isDigit(bytes[offset]) { offset += 1 }
        guard digits() else { throw error(at: start, "a sign that no digits follow") }
        var isInteger = true
        if peek == UInt8(ascii: ".") {
            offset += 1
            isInteger = false
            guard digits() else { throw error(at: offset, "digits are missing behind the point") }
        }
        if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
            offset += 1
            isInteger = false
            if peek == UInt8(ascii: "-") || peek == UInt8(ascii: "+") { offset += 1 }
            guard digits() else { throw error(at: offset, "digits are missing in the exponent") }
        }
        if let byte = peek, FilterToken.continuesName(byte) {
            throw error(at: offset, "a number goes on in a way that numbers do not")
        }
        if isInteger {
            guard let value = Int128(text(start..<offset)) else { throw error(at: start, "an integer beyond 128 bits") }
            return .integer(value)
        }
        guard let value = Double(text(start..<offset)), value.isFinite else {
            throw error(at: start, "a number that is too large")
        }
        return .double(value)
    }
}

extension FilterLexer {
    fileprivate mutating func string(closedBy quote: UInt8) throws(FilterError) -> FilterToken {
        let start = offset
        var content: [UInt8] = []
        offset += 1
        while let byte = peek {
            offset += 1
            if byte == quote { return .string(String(decoding: content, as: UTF8.self)) }
            if byte == UInt8(ascii: "\\") {
                content.append(contentsOf: String(try escape()).utf8)
            } else {
                content.append(byte)
            }
        }
        throw error(at: start, "a string that begins here does not end")
    }

    /// What stands behind a backslash.
    private mutating func escape() throws(FilterError) -> Unicode.Scalar {
        let start = offset - 1
        defer { offset += 1 }
        switch peek {
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "'"): return "'"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "0"): return "\0"
        case UInt8(ascii: "u"): return try scalar(from: start)
        default: throw error(at: start, "an escape that is not known")
        }
    }

    /// `u{…}`; the closing brace is left to the caller.
    private mutating func scalar(from start: Int) throws(FilterError) -> Unicode.Scalar {
        offset += 1
        guard peek == UInt8(ascii: "{") else { throw error(at: start, "\\u needs a number in braces") }
        offset += 1
        let first = offset
        while let byte = peek, byte != UInt8(ascii: "}"), offset - first < 9 { offset += 1 }
        let digits = text(first..<offset)
        guard peek == UInt8(ascii: "}"), digits.first?.isHexDigit ?? false,
            let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value)
        else { throw error(at: start, "\\u needs the hexadecimal number of a character in braces") }
        return scalar
    }
}
