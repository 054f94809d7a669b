import RVFHost

extension SnapshotCore {
    /// Whether an id's row can be found. Where it cannot, and rows are damaged, that is said: it may be among them.
    package func isLive(_ id: UInt64) throws(StoreError) -> Bool {
        if isDeleted(id) { return false }
        if try rowIndex().row(of: id) != nil { return true }
        if let damage = try damages().first { throw damage }
        return false
    }

    /// Whether the ids of all rows are known: no vector segment is damaged, or of a version that is not.
    package func knowsAllIDs() throws(StoreError) -> Bool {
        let named = manifest.payload.directory.count { $0.type == .vectors }
        guard try vectorTable().segments.count == named else { return false }
        return try damages().isEmpty
    }

    /// A live id's fields, by rising field id; nil where it has none or is not there.
    package func metadataFields(
        of id: UInt64
    ) throws(StoreError) -> [(field: MetadataField, value: MetadataValue)]? {
        guard let fields = try metadata().state.fields(of: id), try isLive(id) else { return nil }
        return fields
    }

    package func metadataValue(_ field: String, of id: UInt64) throws(StoreError) -> MetadataValue? {
        guard let value = try metadata().state.value(of: field, for: id), try isLive(id) else { return nil }
        return value
    }

    /// The live ids for which a filter is true, rising.
    package func ids(
        where filter: MetadataFilter, onDamage policy: DamagePolicy
    ) throws(StoreError) -> [UInt64] {
        let state = try metadata().state
        return state.ids(among: try liveIDs(onDamage: policy), where: BoundFilter(filter, schema: state.schema))
    }
}
