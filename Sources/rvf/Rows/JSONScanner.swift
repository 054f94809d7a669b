/// Reads JSON piece by piece, as whoever calls it expects it, and says where it stands when it finds something else.
struct JSONScanner: ~Copyable {
    private var input: ByteInput
    /// The number or string that was read last.
    private var token: [UInt8] = []
    /// Whether the string that was read last is Unicode as it stands in the input; if not, parts of it were replaced.
    private(set) var stringIsExact = true
    /// The row that is being read, for messages.
    var row: Int?

    /// Deeper values than this are no data that anybody has.
    private static let deepestNesting = 128

    init(_ input: consuming ByteInput) {
        self.input = input
    }

    /// A failure at the place that was reached.
    func failure(_ what: String, code: String = "malformedInput") -> Failure {
        let which = row.map { ", row \($0) (counted from 0)" } ?? ""
        let place: [(name: String, value: JSON)] = [
            ("input", .string(input.name)), ("line", .integer(Int64(input.line))),
            ("column", .integer(Int64(input.column))), ("offset", .integer(Int64(input.offset))),
            ("row", row.map { .integer(Int64($0)) } ?? .null),
        ]
        return Failure(
            .failed, code: code, "\(input.name), line \(input.line), column \(input.column)\(which): \(what)",
            details: place)
    }

    private mutating func next() throws(Failure) -> UInt8? {
        while let byte = try input.peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): input.advance()
            default: return byte
            }
        }
        return nil
    }

    /// A byte order mark says nothing in UTF-8, but some programs write one.
    mutating func skipByteOrderMark() throws(Failure) {
        guard try input.peek() == 0xEF else { return }
        for byte: UInt8 in [0xEF, 0xBB, 0xBF] {
            guard try input.peek() == byte else { throw failure("this is not UTF-8") }
            input.advance()
        }
    }

    /// Passes a character if it comes next.
    mutating func take(_ character: Unicode.Scalar) throws(Failure) -> Bool {
        guard try next() == UInt8(ascii: character) else { return false }
        input.advance()
        return true
    }

    mutating func expect(_ character: Unicode.Scalar, _ purpose: String) throws(Failure) {
        if try !take(character) { throw try surprise("`\(character)` \(purpose)") }
    }

    mutating func expectEnd() throws(Failure) {
        if try next() != nil { throw try surprise("nothing more") }
    }

    /// What to say when something else stands there.
    mutating func surprise(_ expected: String) throws(Failure) -> Failure {
        guard let byte = try next() else { return failure("expected \(expected), but the input ends here") }
        let isPrintable = (0x21...0x7E).contains(byte)
        let found = isPrintable ? "`\(Unicode.Scalar(byte))`" : "byte 0x" + String(byte, radix: 16)
        return failure("expected \(expected), found \(found)")
    }

    // MARK: Values

    /// The text of a number, by JSON's grammar. `NaN` and infinities are named, since people meet them.
    mutating func number(_ purpose: String) throws(Failure) -> String {
        token.removeAll(keepingCapacity: true)
        guard let first = try next() else { throw try surprise(purpose) }
        guard first == UInt8(ascii: "-") || Self.isDigit(first) else { throw try noNumber(purpose) }
        if first == UInt8(ascii: "-") { try takeByte() }
        if try input.peek() == UInt8(ascii: "0") { try takeByte() } else { try digits(purpose) }
        if try input.peek() == UInt8(ascii: ".") {
            try takeByte()
            try digits(purpose)
        }
        if let byte = try input.peek(), byte | 0x20 == UInt8(ascii: "e") {
            try takeByte()
            if let sign = try input.peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { try takeByte() }
            try digits(purpose)
        }
        return String(decoding: token, as: UTF8.self)
    }

    private mutating func noNumber(_ purpose: String) throws(Failure) -> Failure {
        guard let byte = try next(), byte == UInt8(ascii: "N") || byte == UInt8(ascii: "I") else {
            return try surprise(purpose)
        }
        return failure("NaN and infinities cannot be stored; every component must be a finite number", code: "invalidRow")
    }

    private mutating func digits(_ purpose: String) throws(Failure) {
        guard let byte = try input.peek(), Self.isDigit(byte) else { throw try noNumber(purpose) }
        while let byte = try input.peek(), Self.isDigit(byte) { try takeByte() }
    }

    private mutating func takeByte() throws(Failure) {
        guard let byte = try input.peek() else { return }
        token.append(byte)
        input.advance()
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// A string, escapes resolved.
    mutating func string(_ purpose: String) throws(Failure) -> String {
        try expect("\"", purpose)
        token.removeAll(keepingCapacity: true)
        stringIsExact = true
        while let byte = try input.peek() {
            switch byte {
            case UInt8(ascii: "\""):
                input.advance()
                if let text = String(validating: token, as: UTF8.self) { return text }
                stringIsExact = false
                return String(decoding: token, as: UTF8.self)
            case UInt8(ascii: "\\"):
                input.advance()
                try escape()
            case 0..<0x20: throw failure("a control character stands in a string; escape it")
            default: try takeByte()
            }
        }
        throw failure("expected the end of a string, but the input ends here")
    }

    private mutating func escape() throws(Failure) {
        let plain = Array("\"\\/bfnrt".utf8)
        let meant = Array("\"\\/\u{8}\u{C}\n\r\t".utf8)
        guard let byte = try input.peek() else { throw failure("the input ends in an escape") }
        if let index = plain.firstIndex(of: byte) {
            token.append(meant[index])
            input.advance()
        } else if byte == UInt8(ascii: "u") {
            input.advance()
            try unicodeEscapes()
        } else {
            throw failure("an unknown escape")
        }
    }

    /// The digits of an escape, and of those that follow it at once: two can be one character.
    private mutating func unicodeEscapes() throws(Failure) {
        var high: UInt32?
        var unit = try codeUnit()
        while true {
            if let first = high, (0xDC00...0xDFFF).contains(unit) {
                append(Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (unit - 0xDC00)))
                return
            }
            if high != nil { append(nil) }
            guard (0xD800...0xDBFF).contains(unit) else { return append(Unicode.Scalar(unit)) }
            high = unit
            guard try input.peek() == UInt8(ascii: "\\") else { return append(nil) }
            input.advance()
            guard try input.peek() == UInt8(ascii: "u") else {
                append(nil)
                return try escape()
            }
            input.advance()
            unit = try codeUnit()
        }
    }

    private mutating func codeUnit() throws(Failure) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = try input.peek(), let value = Character(Unicode.Scalar(digit)).hexDigitValue else {
                throw failure("expected four hexadecimal digits after \\u")
            }
            unit = unit << 4 | UInt32(value)
            input.advance()
        }
        return unit
    }

    /// Half of a pair without the other is no character, and is replaced.
    private mutating func append(_ scalar: Unicode.Scalar?) {
        if scalar == nil { stringIsExact = false }
        token += Array(String(Character(scalar ?? "\u{FFFD}")).utf8)
    }

    /// What kind of value comes next, from its first byte.
    mutating func peekValue() throws(Failure) -> UInt8? { try next() }

    /// Passes a word of JSON.
    mutating func word(_ word: String) throws(Failure) { try literal(word) }

    /// Passes a whole value, whatever it is.
    mutating func skipValue(depth: Int = 0) throws(Failure) {
        if depth > Self.deepestNesting { throw failure("values are nested too deeply") }
        switch try next() {
        case UInt8(ascii: "\""): _ = try string("")
        case UInt8(ascii: "{"): try skipList("{", "}", depth, isObject: true)
        case UInt8(ascii: "["): try skipList("[", "]", depth, isObject: false)
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: _ = try number("a value")
        }
    }

    private mutating func skipList(
        _ opening: Unicode.Scalar, _ closing: Unicode.Scalar, _ depth: Int, isObject: Bool
    ) throws(Failure) {
        try expect(opening, "")
        if try take(closing) { return }
        repeat {
            if isObject {
                _ = try string("for a field's name")
                try expect(":", "after a field's name")
            }
            try skipValue(depth: depth + 1)
        } while try take(",")
        try expect(closing, "or `,`")
    }

    private mutating func literal(_ word: String) throws(Failure) {
        for byte in word.utf8 {
            guard try input.peek() == byte else { throw try surprise("`\(word)`") }
            input.advance()
        }
    }
}
