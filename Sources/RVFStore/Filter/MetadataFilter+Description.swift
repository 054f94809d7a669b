extension MetadataFilter: CustomStringConvertible {
    /// The filter as text.
    public var description: String {
        switch node {
        case .constant(let truth): truth ? "true" : "false"
        case .comparison(let name, let comparison, let literal): "\(name.quoted) \(comparison.rawValue) \(literal)"
        case .isIn(let name, let literals):
            "\(name.quoted) in (\(literals.map(\.description).joined(separator: ", ")))"
        case .hasPrefix(let name, let prefix): "\(name.quoted) ^= \(Literal.string(prefix.string))"
        case .exists(let name): "exists \(name.quoted)"
        case .isNull(let name): "\(name.quoted) is null"
        case .all(let filters): filters.map(\.term).joined(separator: " and ")
        case .any(let filters): filters.map(\.term).joined(separator: " or ")
        case .not(let filter): "not \(filter.term)"
        }
    }

    /// The text, in parentheses where it would else be read apart.
    private var term: String {
        switch node {
        case .all, .any: "(\(description))"
        default: description
        }
    }
}

extension MetadataFilter.Literal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .string(let text):
            "\"" + text.unicodeScalars.reduce(into: "") { $0 += Self.escape($1) } + "\""
        case .integer(let number): "\(number)"
        case .double(let number): "\(number)"
        case .bool(let truth): "\(truth)"
        }
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\\": "\\\\"
        case "\"": "\\\""
        case "\n": "\\n"
        case "\r": "\\r"
        case "\t": "\\t"
        case "\0": "\\0"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F: "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }
}

extension ExactText {
    /// The name as a filter's text has it.
    fileprivate var quoted: String {
        let bytes = Array(string.utf8)
        let isPlain =
            bytes.first.map(FilterToken.beginsName) ?? false && bytes.allSatisfy(FilterToken.continuesName)
            && FilterToken.Word(string) == nil
        if isPlain { return string }
        return "`" + string.unicodeScalars.reduce(into: "") { $0 += $1 == "`" ? "``" : String($1) } + "`"
    }
}
