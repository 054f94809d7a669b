import RVFStore

extension JSON {
    /// Fields by name.
    static func metadata(_ fields: [String: MetadataValue]) -> JSON {
        .object(fields.sorted { $0.key < $1.key }.map { ($0.key, JSON($0.value)) })
    }

    init(_ value: MetadataValue) {
        self =
            switch value {
            case .null: .null
            case .string(let text): .string(text)
            // JSON has no bytes.
            case .bytes(let bytes):
                .object([("bytes", .string(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()))])
            case .int64(let number): .integer(number)
            case .uint64(let number): .unsigned(number)
            case .double(let number): .double(number)
            case .bool(let truth): .bool(truth)
            }
    }
}

/// What the status of a store says of its metadata.
struct MetadataSummary {
    /// Nil where the metadata cannot be read.
    private var fields: [MetadataField]?
    /// Likewise.
    private(set) var fileKeys: Int?
    private var problem: StoreError?

    /// So many fields are named to people.
    private static let mostFields = 8

    init(_ snapshot: Snapshot) {
        do throws(StoreError) {
            fields = try snapshot.metadataFields
            fileKeys = try snapshot.fileMetadata.count
        } catch {
            problem = error
        }
    }

    var json: JSON {
        guard let fields else { return .null }
        return .array(fields.map { .object([("name", .string($0.name)), ("type", .string($0.type.description))]) })
    }

    var rows: [(name: String, value: String)] {
        var rows: [(name: String, value: String)] = []
        if let problem { rows.append(("metadata", "\(problem)")) }
        if let fields, !fields.isEmpty {
            let more = fields.count > Self.mostFields ? ", and \(fields.count - Self.mostFields) more" : ""
            let list = fields.prefix(Self.mostFields).map { "\($0.name) (\($0.type))" }.joined(separator: ", ")
            rows.append(("fields", list + more))
        }
        if let fileKeys, fileKeys > 0 { rows.append(("file metadata", "\(fileKeys) \(fileKeys == 1 ? "key" : "keys")")) }
        return rows
    }
}
