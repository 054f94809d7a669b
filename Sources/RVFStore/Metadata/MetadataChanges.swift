/// Changes to metadata that become one commit. Later calls for the same field override earlier ones.
///
/// ```swift
/// var changes = MetadataChanges()
/// changes.set("language", to: "en", for: 17)
/// changes.removeField("draft", for: 17)
/// changes.removeAll(for: 18)
/// changes.setFileValue("all-MiniLM-L6-v2", for: "model")
/// ```
///
/// A field is declared by its first use: its type is that of the first value. Integers that may be above
/// `Int64.max` are ``MetadataValue/uint64(_:)`` throughout a field.
public struct MetadataChanges: Sendable {
    struct Record: Sendable {
        /// Whether fields that are not named here go.
        var replaces = false
        /// Nil for a field that is removed.
        var fields: [ExactText: MetadataValue?] = [:]

        /// Whether the vector is given a value, and so has to be there.
        var setsSomething: Bool { fields.values.contains { $0 != nil } }
    }

    private(set) var records: [UInt64: Record] = [:]
    private(set) var fileValues: [ExactText: MetadataValue?] = [:]

    public init() {}

    public var isEmpty: Bool { records.isEmpty && fileValues.isEmpty }

    /// Gives a vector's field a value; the vector's other fields stay.
    public mutating func set(_ field: String, to value: MetadataValue, for id: UInt64) {
        records[id, default: Record()].fields[ExactText(field)] = .some(value)
    }

    /// Takes a field from a vector. Nothing happens where the vector does not have it.
    public mutating func removeField(_ field: String, for id: UInt64) {
        records[id, default: Record()].fields[ExactText(field)] = .some(nil)
    }

    /// Takes all fields from a vector, those that were set here before included. Fields set afterwards are then all
    /// that it has.
    public mutating func removeAll(for id: UInt64) {
        records[id] = Record(replaces: true)
    }

    /// Gives a vector exactly these fields.
    public mutating func replaceAll(for id: UInt64, with fields: [String: MetadataValue]) {
        var record = Record(replaces: true)
        record.fields.reserveCapacity(fields.count)
        for (name, value) in fields { record.fields[ExactText(name)] = .some(value) }
        records[id] = record
    }

    /// Whether something of a vector is changed.
    func names(_ id: UInt64) -> Bool { records[id] != nil }

    /// Adds changes that were made after these.
    public mutating func merge(_ later: MetadataChanges) {
        for (id, record) in later.records {
            if record.replaces {
                records[id] = record
            } else {
                records[id, default: Record()].fields.merge(record.fields) { $1 }
            }
        }
        fileValues.merge(later.fileValues) { $1 }
    }

    /// Gives a key of the file a value.
    public mutating func setFileValue(_ value: MetadataValue, for key: String) {
        fileValues[ExactText(key)] = .some(value)
    }

    /// Takes a key from the file. Nothing happens where it is not there.
    public mutating func removeFileValue(for key: String) {
        fileValues[ExactText(key)] = .some(nil)
    }
}

/// Why metadata cannot be written. Nothing of the changes was taken.
public enum MetadataError: Error, Equatable, Sendable {
    /// A value is of another type than the field's values are.
    case type(field: String, is: MetadataType, given: MetadataType)
    /// A number that is infinite or not a number, in a field or under a key.
    case notFinite(name: String)
    /// A name of a field that is empty, or a name or key that is longer than 4,096 bytes of UTF-8.
    case name(byteCount: Int)
    /// A string, or bytes, of more than 16 MiB, in a field or under a key.
    case value(name: String, byteCount: Int)
    /// There are more fields, keys or records than a file can hold, or they are too large; `what` says which.
    case limit(what: String)
}

extension MetadataError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .type(let field, let type, let given):
            "The metadata field \(field) holds values of the type \(type), and was given one of the type \(given). "
                + "Convert the value, or use another field."
        case .notFinite(let name):
            "The metadata under \(name) is a number that is not finite; only finite numbers can be stored."
        case .name(byteCount: 0): "A metadata field was given an empty name."
        case .name(let byteCount):
            "A metadata name of \(byteCount) bytes was given; at most \(MetadataFormat.nameByteLimit) are possible."
        case .value(let name, let byteCount):
            "The metadata under \(name) has \(byteCount) bytes; at most \(MetadataFormat.valueByteLimit) are possible."
        case .limit(let what): "The metadata is more than a store can hold: \(what)."
        }
    }
}
