/// A JSON value on its way out. Objects keep the order of their fields, so that lines read alike.
enum JSON: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case float(Float)
    case double(Double)
    case string(String)
    case array([JSON])
    case object([(name: String, value: JSON)])

    static func string(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }

    /// The value on one line.
    var line: String {
        var text = ""
        write(to: &text)
        return text
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .integer(let value): text += value.description
        case .unsigned(let value): text += value.description
        // The shortest decimals that read back to the same number. JSON knows no infinities; a store that another
        // program wrote may hold some.
        case .float(let value): text += value.isFinite ? value.description : "null"
        case .double(let value): text += value.isFinite ? value.description : "null"
        case .string(let value): Self.quote(value, into: &text)
        case .array(let values):
            Self.list(values, "[", "]", into: &text) { $0.write(to: &$1) }
        case .object(let fields):
            Self.list(fields, "{", "}", into: &text) { field, text in
                Self.quote(field.name, into: &text)
                text += ":"
                field.value.write(to: &text)
            }
        }
    }

    private static func list<Element>(
        _ elements: [Element], _ opening: String, _ closing: String, into text: inout String,
        _ write: (Element, inout String) -> Void
    ) {
        text += opening
        var isFirst = true
        for element in elements {
            if !isFirst { text += "," }
            isFirst = false
            write(element, &text)
        }
        text += closing
    }

    private static func quote(_ value: String, into text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<" ", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
