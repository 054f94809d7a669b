import RVFStore

/// Numbers as their fields have them: JSON writes 2 for 2.0, and does not tell signed from unsigned.
struct NumberTypes {
    private var types: [String: MetadataType] = [:]

    /// A field that the store does not have takes the type that holds all of a batch.
    init(_ schema: [MetadataField], _ rows: [[String: MetadataValue]]) {
        for (name, value) in rows.joined() {
            switch (value.type, types[name]) {
            case (.double?, _), (.uint64?, .int64?), (.int64?, nil), (.uint64?, nil): types[name] = value.type
            default: break
            }
        }
        // Of several fields with one name the first counts.
        for field in schema.reversed() where types[field.name] != nil { types[field.name] = field.type }
    }

    /// Only numbers that stay what they are; others are left for the store to refuse.
    func convert(_ fields: [String: MetadataValue]) -> [String: MetadataValue] {
        var result = fields
        for (name, value) in fields {
            switch (value, types[name]) {
            case (.int64(let number), .double?): result[name] = Double(exactly: number).map { .double($0) }
            case (.uint64(let number), .double?): result[name] = Double(exactly: number).map { .double($0) }
            case (.int64(let number), .uint64?): result[name] = UInt64(exactly: number).map { .uint64($0) }
            case (.double(let number), .int64?): result[name] = Int64(exactly: number).map { .int64($0) }
            case (.double(let number), .uint64?): result[name] = UInt64(exactly: number).map { .uint64($0) }
            default: break
            }
            result[name] = result[name] ?? value
        }
        return result
    }
}
