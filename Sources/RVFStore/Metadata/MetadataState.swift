/// All metadata of a store as of one generation: what a full snapshot and the deltas after it, applied in order, come
/// to. A value: applying a delta gives another one, which shares with this one what the delta left as it was.
///
/// Vectors' records stay encoded, in runs of which a newer one hides older ones, as in ``RowIndex``; a record is whole
/// in the newest run that has it. Altogether they take no more than twice what the largest run takes.
package struct MetadataState: Sendable {
    /// 0 before the first.
    package private(set) var generation: UInt64 = 0
    /// Deltas since the snapshot.
    package private(set) var deltaCount = 0
    /// Bytes of all payloads since the snapshot, and of the snapshot's own.
    package private(set) var chainByteCount = 0
    package private(set) var snapshotByteCount = 0
    /// By rising id. It has every field that a record has.
    package private(set) var schema: [MetadataField] = []
    /// By rising bytes of the key; every one has a value.
    package private(set) var fileRecords: [MetadataFileRecord] = []
    /// Oldest first. The first has no records that delete.
    private(set) var runs: [MetadataRecords] = []
    package var runCount: Int { runs.count }
    /// How many vectors have a record, fields in it or none.
    package private(set) var recordCount = 0
    private var hasSnapshot = false

    package init() {}

    /// Applies one segment's payload.
    ///
    /// - Throws: where the payload is malformed, or does not follow what was applied. Offsets are from its start.
    package func applying(_ payload: RawSpan) throws(FormatError) -> MetadataState {
        try applying(try MetadataPayload(payload), byteCount: payload.byteCount)
    }

    package func applying(_ payload: MetadataPayload, byteCount: Int) throws(FormatError) -> MetadataState {
        if payload.isSnapshot { return MetadataState(snapshot: payload, byteCount: byteCount) }
        try checkFollows(payload, byteCount: byteCount)
        var next = try changed(by: payload)
        next.chainByteCount += byteCount
        return next
    }

    /// The state that a full snapshot gives, whatever was before it.
    init(snapshot payload: MetadataPayload, byteCount: Int) {
        generation = payload.generation
        chainByteCount = byteCount
        snapshotByteCount = byteCount
        schema = payload.schema
        fileRecords = payload.fileRecords
        let records = payload.records
        let deletes = (0..<records.count).contains { records.isDelete(at: $0) }
        runs = [deletes ? MetadataRecords(merging: MetadataRecords(), records, dropsDeletes: true) : records]
        recordCount = runs[0].count
        hasSnapshot = true
    }

    private func checkFollows(_ payload: MetadataPayload, byteCount: Int) throws(FormatError) {
        let offset = MetadataFormat.baseGenerationOffset
        guard hasSnapshot else { throw FormatError(offset: offset, what: "a delta with no full snapshot before it") }
        guard payload.baseGeneration == generation else {
            throw FormatError(
                offset: offset,
                what: "a delta to generation \(payload.baseGeneration ?? 0), after generation \(generation)")
        }
        guard deltaCount < MetadataFormat.deltaLimit else {
            throw FormatError(
                offset: offset, what: "more than \(MetadataFormat.deltaLimit) deltas since the last full snapshot")
        }
        guard chainByteCount + byteCount <= MetadataFormat.payloadByteLimit else {
            throw FormatError(
                offset: offset,
                what:
                    "the metadata since the last full snapshot takes more than \(MetadataFormat.payloadByteLimit) bytes"
            )
        }
    }

    private func changed(by delta: MetadataPayload) throws(FormatError) -> MetadataState {
        let (next, conflict) = outcome(of: delta)
        guard let conflict else { return next }
        let before = delta.schema.prefix { $0.id != conflict.id }
        throw FormatError(
            offset: before.reduce(MetadataFormat.headerByteCount) { $0 + 6 + $1.name.utf8.count },
            what: "field \(conflict.id) becomes \(conflict.type), and vectors still have values of another type in it")
    }

    /// The state after a delta's changes; whether the delta follows is for the caller to know. Where a field is given
    /// another type while values of the former one are left, the state is of no use, and that field says so.
    func outcome(of delta: MetadataPayload) -> (state: MetadataState, conflict: MetadataField?) {
        var next = self
        next.generation = delta.generation
        next.deltaCount += 1
        let retyped = next.mergeSchema(delta)
        next.mergeFileRecords(delta.fileRecords)
        next.appendRun(next.resolve(delta.records))
        return (next, next.fieldOfTwoTypes(among: retyped))
    }

    // MARK: Records

    /// Whether a vector has a record, with fields in it or none.
    func hasRecord(_ id: UInt64) -> Bool { place(of: id) != nil }

    /// The same with other records, none of which deletes.
    func replacingRecords(_ records: MetadataRecords) -> MetadataState {
        var next = self
        next.runs = [records]
        next.recordCount = records.count
        return next
    }

    /// Lends the encoded fields of a vector; nil where it has no record.
    func withFields<Value>(of id: UInt64, _ body: (RawSpan) -> Value) -> Value? {
        guard let place = place(of: id) else { return nil }
        let run = runs[place.run]
        return body(run.bytes.bytes.extracting(run.range(at: place.position)))
    }

    private func place(of id: UInt64) -> (run: Int, position: Int)? {
        for run in runs.indices.reversed() {
            guard let position = runs[run].position(of: id) else { continue }
            return runs[run].isDelete(at: position) ? nil : (run, position)
        }
        return nil
    }

    /// Counts a delta's bytes among those of the chain.
    mutating func noteWritten(_ byteCount: Int) {
        chainByteCount += byteCount
    }

    /// All records in one run, none of which deletes.
    func merged() -> MetadataRecords {
        guard var result = runs.last else { return MetadataRecords() }
        for index in runs.indices.dropLast().reversed() {
            result = MetadataRecords(merging: runs[index], result, dropsDeletes: index == 0)
        }
        return result
    }

    /// All runs but the first in one, with records that delete.
    func mergedChanges() -> MetadataRecords {
        guard runs.count > 1, var result = runs.last else { return MetadataRecords() }
        for index in runs.indices.dropFirst().dropLast().reversed() {
            result = MetadataRecords(merging: runs[index], result, dropsDeletes: false)
        }
        return result
    }

    /// A delta's records as they are after it: whole, and deleting only what is there.
    private mutating func resolve(_ delta: MetadataRecords) -> MetadataRecords {
        var run = MetadataRecords()
        run.reserve(delta.count)
        for position in 0..<delta.count {
            let id = delta.ids[position]
            let old = place(of: id)
            if delta.isDelete(at: position) {
                guard old != nil else { continue }
                run.appendDelete(of: id)
                recordCount -= 1
                continue
            }
            let changes = delta.bytes.bytes.extracting(delta.range(at: position))
            if let old {
                let source = runs[old.run]
                run.append(
                    id, fields: source.bytes.bytes.extracting(source.range(at: old.position)), changedBy: changes)
            } else {
                run.append(id, fields: RawSpan(), changedBy: changes)
                recordCount += 1
            }
        }
        return run
    }

    private mutating func appendRun(_ run: MetadataRecords) {
        guard run.count > 0 else { return }
        runs.append(run)
        // A run at least twice as heavy as the next keeps their number logarithmic and what they hide bounded.
        while runs.count > 1, runs[runs.count - 2].weight < 2 * runs[runs.count - 1].weight {
            let newer = runs.removeLast()
            let older = runs.removeLast()
            runs.append(MetadataRecords(merging: older, newer, dropsDeletes: runs.isEmpty))
        }
    }

    // MARK: Schema and keys

    /// Adds a delta's schema entries; returns the fields whose type the delta changes.
    private mutating func mergeSchema(_ delta: MetadataPayload) -> Set<UInt16> {
        var valued: Set<UInt16>?
        var retyped: Set<UInt16> = []
        for entry in delta.schema {
            guard let known = schema.position(ofField: entry.id) else {
                schema.insert(entry, at: schema.insertionPosition(ofField: entry.id))
                continue
            }
            schema[known].isNullable = schema[known].isNullable || entry.isNullable
            // Writers that know fields by number alone call them so; that is no new name.
            if entry.name != "field.\(entry.id)" { schema[known].name = entry.name }
            guard schema[known].type != entry.type else { continue }
            // The entry of a field that is only removed, or only null, says nothing about its type.
            let used = valued ?? delta.records.fieldsWithValues()
            valued = used
            if used.contains(entry.id) {
                schema[known].type = entry.type
                retyped.insert(entry.id)
            }
        }
        return retyped
    }

    /// A field can be of another type once no value of the former type is left.
    private func fieldOfTwoTypes(among fields: Set<UInt16>) -> MetadataField? {
        guard !fields.isEmpty else { return nil }
        let records = merged()
        var walk = MetadataFieldWalk(records.bytes.bytes)
        while walk.next() {
            guard fields.contains(walk.field), walk.value.tag != MetadataTag.null,
                let position = schema.position(ofField: walk.field),
                walk.value.tag != schema[position].type.rawValue
            else { continue }
            return schema[position]
        }
        return nil
    }

    private mutating func mergeFileRecords(_ changes: [MetadataFileRecord]) {
        guard !changes.isEmpty else { return }
        var result: [MetadataFileRecord] = []
        result.reserveCapacity(fileRecords.count + changes.count)
        var old = fileRecords[...]
        for change in changes {
            let key = ExactText(change.key)
            while let first = old.first, ExactText(first.key) < key { result.append(old.removeFirst()) }
            if let first = old.first, ExactText(first.key) == key { old.removeFirst() }
            if change.value != nil { result.append(change) }
        }
        fileRecords = result + old
    }
}
