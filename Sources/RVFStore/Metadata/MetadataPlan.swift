/// Turns changes, which speak of names and of what should be, into the delta that brings a state there: only what is
/// different from the state, in the file's order, with the schema entries that it needs.
struct MetadataPlan {
    private let state: MetadataState
    private let changes: MetadataChanges
    /// Fields by name, those of the state and new ones.
    private var fields: [ExactText: MetadataField] = [:]
    /// The fields that the delta's records name.
    private var used: Set<UInt16> = []

    /// - Throws: where a value or a name cannot be stored.
    init(_ changes: MetadataChanges, from state: MetadataState) throws(MetadataError) {
        self.state = state
        self.changes = changes
        for field in state.schema.reversed() { fields[ExactText(field.name)] = field }
        try checkFileValues()
        try resolveFields()
    }

    /// The delta; nil where nothing would change.
    mutating func delta() throws(MetadataError) -> MetadataPayload? {
        let fileRecords = fileRecords()
        let records = try records()
        guard records.count > 0 || !fileRecords.isEmpty else { return nil }
        let schema = fields.values.filter { used.contains($0.id) }.sorted { $0.id < $1.id }
        return MetadataPayload(
            generation: state.generation + 1, baseGeneration: state.generation, schema: schema,
            fileRecords: fileRecords, records: records)
    }

    // MARK: Fields

    /// Declares new fields, in the order of their names, and makes fields nullable that are given null.
    private mutating func resolveFields() throws(MetadataError) {
        var types: [ExactText: MetadataType?] = [:]
        var nullable: Set<ExactText> = []
        for id in changes.records.keys.sorted() {
            for (name, change) in changes.records[id]?.fields ?? [:] {
                guard let value = change else { continue }
                try Self.check(value, name: name)
                if value == .null { nullable.insert(name) }
                if let first = types[name] ?? nil, let given = value.type, first != given {
                    throw .type(field: name.string, is: first, given: given)
                }
                if (types[name] ?? nil) == nil { types[name] = .some(value.type) }
            }
        }
        var freeIDs = FreeFieldIDs(state.schema)
        for (name, type) in types.sorted(by: { $0.key < $1.key }) {
            if var field = fields[name] {
                field.isNullable = field.isNullable || nullable.contains(name)
                // Whether values of the former type are left is found out when the delta is applied.
                field.type = type ?? field.type
                fields[name] = field
            } else {
                try Self.checkName(name.string, allowsEmpty: false)
                guard let id = freeIDs.next() else {
                    throw .limit(what: "more than \(MetadataFormat.fieldLimit) fields")
                }
                // A field that is only null yet is taken for one of strings, as peers do it, until it has a value.
                fields[name] = MetadataField(
                    id: id, name: name.string, type: type ?? .string, isNullable: nullable.contains(name))
            }
        }
    }

    private static func check(_ value: MetadataValue, name: ExactText) throws(MetadataError) {
        let count = value.contentByteCount
        guard count <= MetadataFormat.valueByteLimit else { throw .value(name: name.string, byteCount: count) }
        if case .double(let number) = value, !number.isFinite { throw .notFinite(name: name.string) }
    }

    private static func checkName(_ name: String, allowsEmpty: Bool) throws(MetadataError) {
        let count = name.utf8.count
        guard count <= MetadataFormat.nameByteLimit, allowsEmpty || count > 0 else { throw .name(byteCount: count) }
    }

    // MARK: Records

    private mutating func records() throws(MetadataError) -> MetadataRecords {
        var records = MetadataRecords()
        for id in changes.records.keys.sorted() {
            guard let change = changes.records[id] else { continue }
            let old = state.encodedFields(of: id)
            let edits = edits(of: change, from: old ?? [:])
            let isLeft = (old ?? [:]).count + edits.count { $0.isAddition } > edits.count { $0.value == nil }
            if !isLeft {
                if old != nil, change.replaces || !edits.isEmpty { records.appendDelete(of: id) }
            } else if !edits.isEmpty {
                used.formUnion(edits.map(\.id))
                records.append(id, fields: edits.map { ($0.id, $0.value) })
            }
            guard records.bytes.count <= MetadataFormat.payloadByteLimit else {
                throw .limit(what: "changes of more than \(MetadataFormat.payloadByteLimit) bytes at once")
            }
        }
        return records
    }

    private struct Edit {
        var id: UInt16
        var value: MetadataValue?
        /// Whether the record did not have the field.
        var isAddition: Bool
    }

    /// What to change in a record with these encoded fields, by rising field id.
    private func edits(of change: MetadataChanges.Record, from old: [UInt16: [UInt8]]) -> [Edit] {
        var edits: [UInt16: Edit] = [:]
        for (name, value) in change.fields {
            guard let id = fields[name]?.id else { continue }
            let before = old[id]
            var encoded: [UInt8] = []
            encoded.append(metadata: value)
            guard value == nil ? before != nil : before != encoded else { continue }
            edits[id] = Edit(id: id, value: value, isAddition: before == nil)
        }
        if change.replaces {
            let kept = Set(change.fields.compactMap { $0.value == nil ? nil : fields[$0.key]?.id })
            for id in old.keys where !kept.contains(id) { edits[id] = Edit(id: id, value: nil, isAddition: false) }
        }
        return edits.values.sorted { $0.id < $1.id }
    }

    // MARK: Keys

    private func checkFileValues() throws(MetadataError) {
        for (key, change) in changes.fileValues.sorted(by: { $0.key < $1.key }) {
            guard let value = change else { continue }
            try Self.checkName(key.string, allowsEmpty: true)
            try Self.check(value, name: key)
        }
    }

    private func fileRecords() -> [MetadataFileRecord] {
        changes.fileValues.sorted { $0.key < $1.key }.compactMap { key, value in
            let old = state.fileValue(of: key.string)
            return old.encodedMetadata == value.encodedMetadata
                ? nil : MetadataFileRecord(key: key.string, value: value)
        }
    }
}

extension MetadataValue? {
    /// To tell whether two values are the same byte by byte; nil is no value.
    fileprivate var encodedMetadata: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(metadata: self)
        return bytes
    }
}

/// Numbers for new fields: above those in use while there are such, then what is free below.
private struct FreeFieldIDs {
    private var taken: Set<UInt16>
    private var candidate: UInt16

    init(_ schema: [MetadataField]) {
        taken = Set(schema.map(\.id))
        candidate = (schema.last?.id ?? .max) &+ 1
    }

    mutating func next() -> UInt16? {
        guard taken.count < MetadataFormat.fieldLimit else { return nil }
        while taken.contains(candidate) { candidate &+= 1 }
        taken.insert(candidate)
        return candidate
    }
}
