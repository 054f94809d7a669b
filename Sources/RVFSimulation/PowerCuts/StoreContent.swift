import RVFStore

/// All that a store holds, as who uses it sees it.
package struct StoreContent: Hashable, Sendable {
    struct Position: Hashable, Sendable {
        var count: UInt64
        var offset: [UInt8]
    }

    var rows: [UInt64: [Float]] = [:]
    /// Of ids that have any.
    var fields: [UInt64: [String: MetadataValue]] = [:]
    var keys: [String: MetadataValue] = [:]
    var positions: [String: Position] = [:]

    init() {}

    init(_ snapshot: SnapshotCore<DiskHost>) throws(StoreError) {
        var rows: [UInt64: [Float]] = [:]
        try snapshot.forEachRow(onDamage: .refuse) { rows[$0] = $1.array() }
        self.rows = rows
        let metadata = try snapshot.metadata().state
        for id in metadata.ids where rows[id] != nil {
            let own = metadata.fields(of: id) ?? []
            if !own.isEmpty { fields[id] = Dictionary(uniqueKeysWithValues: own.map { ($0.field.name, $0.value) }) }
        }
        for record in metadata.fileRecords { keys[record.key] = record.value }
        for checkpoint in try snapshot.checkpointList().all {
            positions[checkpoint.source] = Position(count: checkpoint.count, offset: checkpoint.offset)
        }
    }
}

extension StoreContent: CustomStringConvertible {
    package var description: String {
        let ids = rows.keys.sorted().prefix(12).map(String.init).joined(separator: " ")
        let key = keys["commit"].map { ", commit key \($0)" } ?? ""
        return "\(rows.count) rows (\(ids)…), \(fields.count) with fields, \(positions.count) checkpoints\(key)"
    }
}

/// What stands at a store's name.
package enum StoreState: Hashable, Sendable {
    case absent
    /// What nobody can read as a store, and stood there from the beginning.
    case damaged
    case holding(StoreContent)
}

extension StoreState: CustomStringConvertible {
    package var description: String {
        switch self {
        case .absent: "no file"
        case .damaged: "the damaged file"
        case .holding(let content): "\(content)"
        }
    }
}

/// A transaction, and what the store holds once it is done.
struct ContentChange {
    var transaction = Transaction()
    var content: StoreContent

    static let dimension = 3

    static func vector(_ id: UInt64, _ version: Int) -> [Float] { [Float(id % 1000), Float(version), 0.5] }

    mutating func upsert(_ ids: [UInt64], version: Int) {
        transaction.upsert(ids.map { Row(id: $0, vector: Self.vector($0, version)) })
        for id in ids { content.rows[id] = Self.vector(id, version) }
    }

    mutating func delete(_ ids: [UInt64]) {
        transaction.delete(ids: ids)
        for id in ids {
            content.rows[id] = nil
            content.fields[id] = nil
        }
    }

    mutating func set(_ fields: [String: MetadataValue], for id: UInt64) {
        transaction.setMetadata(fields, for: id)
        content.fields[id] = fields.isEmpty ? nil : fields
    }

    mutating func set(_ value: MetadataValue, for key: String) {
        transaction.setFileMetadata(value, for: key)
        content.keys[key] = value
    }

    mutating func setCheckpoint(_ source: String, count: UInt64) {
        let position = StoreContent.Position(count: count, offset: Array("at \(count)".utf8))
        transaction.setCheckpoint(source: source, count: count, offset: position.offset)
        content.positions[source] = position
    }
}
