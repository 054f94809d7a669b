/// A value of a metadata field of a vector, or of a metadata key of the file.
///
/// Strings are equal here as Swift compares them; in the file, and in filters, they are compared by their UTF-8 bytes.
public enum MetadataValue: Hashable, Sendable {
    /// The field is there and says that there is no value. That is not the same as a field that is missing.
    case null
    case string(String)
    case bytes([UInt8])
    case int64(Int64)
    case uint64(UInt64)
    /// Finite: infinities and NaN are refused when they are written.
    case double(Double)
    case bool(Bool)

    /// Nil for null, which every nullable field can hold.
    public var type: MetadataType? {
        switch self {
        case .null: nil
        case .string: .string
        case .bytes: .bytes
        case .int64: .int64
        case .uint64: .uint64
        case .double: .double
        case .bool: .bool
        }
    }
}

/// What the values of a field are. The raw value is the type's number in a schema entry, and the tag of such values.
public enum MetadataType: UInt8, Hashable, Sendable, CustomStringConvertible {
    case string = 1
    case bytes = 2
    case int64 = 3
    case uint64 = 4
    case double = 5
    case bool = 6

    public var description: String {
        switch self {
        case .string: "string"
        case .bytes: "bytes"
        case .int64: "int64"
        case .uint64: "uint64"
        case .double: "double"
        case .bool: "bool"
        }
    }
}

/// A field that vectors can have.
public struct MetadataField: Hashable, Sendable {
    /// The field's number in the file.
    public var id: UInt16
    public var name: String
    public var type: MetadataType
    /// Whether ``MetadataValue/null`` is among its values.
    public var isNullable: Bool

    public init(id: UInt16, name: String, type: MetadataType, isNullable: Bool) {
        self.id = id
        self.name = name
        self.type = type
        self.isNullable = isNullable
    }
}

extension MetadataValue: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self = .string(value) }
}

extension MetadataValue: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) { self = .int64(value) }
}

extension MetadataValue: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) { self = .double(value) }
}

extension MetadataValue: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}
