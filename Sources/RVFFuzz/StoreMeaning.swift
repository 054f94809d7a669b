import RVFReference
import RVFStore
import SystemPackage

/// All that a store says, whatever the bytes that say it.
struct StoreMeaning: Equatable {
    var dimension: Int
    var metric: Metric
    var profile: UInt8
    var epoch: UInt32
    var identity: StoreIdentity?
    /// The bits of the components.
    var rows: [UInt64: [UInt32]]
    var deletedIDs: [UInt64]
    /// That of the ids of `rows`, and of the file, as one snapshot; nil where there is none.
    var metadata: [UInt8]?
    var checkpoints: [Checkpoint]

    /// - Throws: ``StoreError`` where not all of it can be read.
    init(_ snapshot: Snapshot) throws {
        dimension = snapshot.dimension
        metric = snapshot.metric
        profile = snapshot.profile
        epoch = snapshot.epoch
        identity = snapshot.identity
        deletedIDs = snapshot.deletedIDs
        rows = try Self.rows(of: snapshot, onDamage: .refuse)
        let state = try snapshot.core.metadata().state
        metadata = try Self.metadata(state, of: Set(rows.keys))
        checkpoints = try snapshot.checkpoints
    }

    static func rows(of snapshot: Snapshot, onDamage policy: DamagePolicy) throws -> [UInt64: [UInt32]] {
        var rows: [UInt64: [UInt32]] = [:]
        try snapshot.forEachRow(onDamage: policy) { rows[$0] = $1.array().map(\.bitPattern) }
        return rows
    }

    private static func metadata(_ state: MetadataState, of ids: Set<UInt64>) throws -> [UInt8]? {
        let all = state.ids
        let kept = state.keepingRecords { ids.contains(all[$0]) }
        guard kept.recordCount > 0 || !kept.fileRecords.isEmpty else { return nil }
        return try kept.snapshot(generation: 0).encoded()
    }

    /// Only some of the ids.
    func keeping(_ ids: some Sequence<UInt64>) throws -> StoreMeaning {
        var meaning = self
        let ids = Set(ids)
        meaning.rows = rows.filter { ids.contains($0.key) }
        if let metadata {
            let state = try MetadataState().applying(metadata.bytes)
            meaning.metadata = try Self.metadata(state, of: ids)
        }
        return meaning
    }

    /// What differs, for people.
    func differences(from other: StoreMeaning) -> String {
        var names: [String] = []
        func compare<Part: Equatable>(_ name: String, _ part: KeyPath<StoreMeaning, Part>) {
            if self[keyPath: part] != other[keyPath: part] {
                names.append("\(name): \(self[keyPath: part]), not \(other[keyPath: part])")
            }
        }
        compare("dimension", \.dimension)
        compare("metric", \.metric)
        compare("profile", \.profile)
        compare("epoch", \.epoch)
        compare("identity", \.identity)
        compare("rows", \.rows)
        compare("deleted ids", \.deletedIDs)
        compare("metadata", \.metadata)
        compare("checkpoints", \.checkpoints)
        return names.joined(separator: "; ")
    }

    /// That a store says this.
    func expect(_ found: StoreMeaning, _ what: String) throws {
        try FuzzFailure.unless(found == self, "\(what): \(found.differences(from: self))")
    }

    /// That a file of this package says this to a reader that shares nothing with it.
    ///
    /// - Parameter isBound: whether it has to be able to read it.
    func expectOfOthers(_ bytes: [UInt8], isBound: Bool, _ what: String) throws {
        let oracle: ReferenceStore
        do throws(ReferenceStore.Failure) {
            oracle = try ReferenceStore(bytes)
        } catch {
            return try FuzzFailure.unless(!isBound, "\(what): another reader refuses it: \(error)")
        }
        let isSame = oracle.rows.mapValues { $0.map(\.bitPattern) } == rows && oracle.dimension == dimension
            && oracle.deleted == deletedIDs && oracle.epoch == epoch && oracle.profile == profile
            && oracle.metric == metric.rawValue && oracle.fileID == identity?.fileID
        try FuzzFailure.unless(isSame, "\(what): another reader reads \(oracle), not \(self)")
    }
}
