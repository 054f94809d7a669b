/// A piece of a filter's text.
enum FilterToken: Equatable {
    case name(String)
    case word(Word)
    case string(String)
    case integer(Int128)
    case double(Double)
    /// A comparison, parenthesis or comma.
    case symbol(Symbol)
    case end

    /// A word of the language, in upper, lower or mixed case.
    enum Word: String, CaseIterable {
        case and, or, not, exists, `is`, null, `in`, `true`, `false`

        init?(_ text: String) {
            // The longest is six letters long; nothing else is worth changing the case of.
            guard text.utf8.count <= 6 else { return nil }
            self.init(rawValue: text.lowercased())
        }
    }

    enum Symbol: String {
        case open = "("
        case close = ")"
        case comma = ","
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case atMost = "<="
        case greater = ">"
        case atLeast = ">="
        case prefix = "^="

        var comparison: MetadataFilter.Comparison? { MetadataFilter.Comparison(rawValue: rawValue) }
    }

    /// For messages.
    var name: String {
        switch self {
        case .name(let name): "the name \(name.shortened)"
        case .word(let word): "the word \(word.rawValue)"
        case .string: "a string"
        case .integer, .double: "a number"
        case .symbol(let symbol): "\"\(symbol.rawValue)\""
        case .end: "the end"
        }
    }

    static func beginsName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: false
        }
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    static func continuesName(_ byte: UInt8) -> Bool {
        beginsName(byte) || isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }
}

extension String {
    fileprivate var shortened: String {
        count <= 40 ? self : prefix(40) + "…"
    }
}
