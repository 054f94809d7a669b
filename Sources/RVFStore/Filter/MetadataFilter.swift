/// A condition on the metadata of a vector.
///
/// ```swift
/// let filter = try MetadataFilter("language = 'en' and (year >= 2020 or exists pinned)")
/// let same: MetadataFilter = .all([
///     .field("language", .equal, "en"), .any([.field("year", .atLeast, 2020), .exists("pinned")]),
/// ])
/// ```
///
/// ## Meaning
///
/// - A comparison is true where the vector has the field, its value can be compared with the literal, and compares so.
///   It is false where the field is missing or null, and between values of different kinds: text and numbers, numbers
///   and truth values. That holds for `!=` too: `colour != "red"` finds vectors that have another colour, and
///   `not colour = "red"` also those that have none.
/// - All numbers are of one kind and compare by their exact value, whatever their types: no integer is rounded.
/// - Text compares by its UTF-8 bytes, so also by its code points; `^=` asks whether it begins with the literal.
/// - False is less than true.
/// - `exists` is true for a field that is there, null included; `is null` for one that is there and null.
/// - Bytes can be asked for with `exists` alone.
///
/// ## Text
///
/// ```
/// filter     = conjunction { "or" conjunction }
/// conjunction = term { "and" term }
/// term       = "not" term | "(" filter ")" | "true" | "false" | "exists" name
///            | name "is" "null" | name "in" "(" [ literal { "," literal } ] ")"
///            | name ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) literal | name "^=" string
/// literal    = string | number | "true" | "false"
/// string     = '"' … '"' or "'" … "'", with the escapes \\ \" \' \n \r \t \0 and \u{hexadecimal}
/// number     = [ "-" | "+" ] digits [ "." digits ] [ ( "e" | "E" ) [ "-" | "+" ] digits ]
/// name       = a letter or "_", then letters, digits, "_", "." and "-"; or anything between "`", "`" itself doubled
/// ```
///
/// Letters are those of ASCII. Words of the language are taken in upper and lower case, and are names only between
/// back quotes. A number without point and exponent is an integer, of at most 128 bits.
///
/// A filter's ``description`` is its text. Parsed, that gives an equal filter, unless it was put together in code from
/// numbers that are not finite or more than ``maximumDepth`` levels.
public struct MetadataFilter: Hashable, Sendable {
    indirect enum Node: Hashable, Sendable {
        case constant(Bool)
        case comparison(ExactText, Comparison, Literal)
        case isIn(ExactText, [Literal])
        case hasPrefix(ExactText, ExactText)
        case exists(ExactText)
        case isNull(ExactText)
        /// Of two or more.
        case all([MetadataFilter])
        /// Of two or more.
        case any([MetadataFilter])
        case not(MetadataFilter)
    }

    let node: Node

    private init(_ node: Node) {
        self.node = node
    }

    /// How a field's value is to compare with a literal.
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case atMost = "<="
        case greater = ">"
        case atLeast = ">="
    }

    /// What a field's value is compared with.
    public enum Literal: Hashable, Sendable {
        case string(String)
        case integer(Int128)
        /// Compares as false with everything where it is not finite.
        case double(Double)
        case bool(Bool)

        public static func == (left: Literal, right: Literal) -> Bool {
            switch (left, right) {
            case (.string(let left), .string(let right)): ExactText(left) == ExactText(right)
            case (.integer(let left), .integer(let right)): left == right
            case (.double(let left), .double(let right)): left == right
            case (.bool(let left), .bool(let right)): left == right
            default: false
            }
        }

        public func hash(into hasher: inout Hasher) {
            switch self {
            case .string(let text): hasher.combine(ExactText(text))
            case .integer(let number): hasher.combine(number)
            case .double(let number): hasher.combine(number)
            case .bool(let truth): hasher.combine(truth)
            }
        }
    }
}

extension MetadataFilter {
    /// True for every vector.
    public static let everything = MetadataFilter(.constant(true))
    /// True for none.
    public static let nothing = MetadataFilter(.constant(false))

    public static func field(_ name: String, _ comparison: Comparison, _ literal: Literal) -> MetadataFilter {
        MetadataFilter(.comparison(ExactText(name), comparison, literal))
    }

    /// Equal to one of the literals.
    public static func field(_ name: String, in literals: [Literal]) -> MetadataFilter {
        MetadataFilter(.isIn(ExactText(name), literals))
    }

    /// Text that begins with this one.
    public static func field(_ name: String, hasPrefix prefix: String) -> MetadataFilter {
        MetadataFilter(.hasPrefix(ExactText(name), ExactText(prefix)))
    }

    /// The vector has the field, be it null.
    public static func exists(_ name: String) -> MetadataFilter {
        MetadataFilter(.exists(ExactText(name)))
    }

    /// The vector has the field, and it is null.
    public static func isNull(_ name: String) -> MetadataFilter {
        MetadataFilter(.isNull(ExactText(name)))
    }

    /// All are true; ``everything`` for none.
    public static func all(_ filters: [MetadataFilter]) -> MetadataFilter {
        switch filters.count {
        case 0: everything
        case 1: filters[0]
        default: MetadataFilter(.all(filters))
        }
    }

    /// One of them, at least, is true; ``nothing`` for none.
    public static func any(_ filters: [MetadataFilter]) -> MetadataFilter {
        switch filters.count {
        case 0: nothing
        case 1: filters[0]
        default: MetadataFilter(.any(filters))
        }
    }

    public static func not(_ filter: MetadataFilter) -> MetadataFilter {
        MetadataFilter(.not(filter))
    }
}

extension MetadataFilter.Literal: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
}

extension MetadataFilter.Literal: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int128) { self = .integer(value) }
}

extension MetadataFilter.Literal: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = .double(value) }
}

extension MetadataFilter.Literal: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}
