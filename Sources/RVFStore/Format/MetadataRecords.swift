/// The vector records of a payload, or of several that were merged, by rising id. Their fields stay encoded as the
/// file has them: 12 bytes of memory a record, and those of its fields.
package struct MetadataRecords: Equatable, Sendable {
    package private(set) var ids: [UInt64] = []
    /// Where the fields of each record end in `bytes`; the highest bit is set for a record that deletes.
    private var ends: [UInt32] = []
    /// The fields of all records: u16 field id and ``MetadataEncodedValue``, by rising field id within a record.
    package private(set) var bytes: [UInt8] = []

    private static let deleteMark: UInt32 = 1 << 31

    package init() {}

    package var count: Int { ids.count }
    /// What the records take in memory, to compare runs by.
    var weight: Int { 12 * ids.count + bytes.count }

    package func isDelete(at position: Int) -> Bool {
        ends[position] & Self.deleteMark != 0
    }

    /// Where the fields of a record stand in ``bytes``.
    func range(at position: Int) -> Range<Int> {
        let start = position == 0 ? 0 : Int(ends[position - 1] & ~Self.deleteMark)
        return start..<Int(ends[position] & ~Self.deleteMark)
    }

    func position(of id: UInt64) -> Int? {
        ids.positionInRising(id)
    }

    mutating func reserve(_ count: Int) {
        ids.reserveCapacity(count)
        ends.reserveCapacity(count)
    }

    /// Appends a record that deletes. The id is higher than all before.
    mutating func appendDelete(of id: UInt64) {
        close(id, mark: Self.deleteMark)
    }

    /// Appends a record with fields that are encoded and checked. The id is higher than all before.
    mutating func append(_ id: UInt64, fields: RawSpan) {
        bytes.append(contentsOf: fields)
        close(id, mark: 0)
    }

    /// Appends a record with these fields, which rise; nil says that a field is removed. The values are within limits.
    mutating func append(_ id: UInt64, fields: [(id: UInt16, value: MetadataValue?)]) {
        for field in fields {
            bytes.append(littleEndian: field.id)
            bytes.append(metadata: field.value)
        }
        close(id, mark: 0)
    }

    /// Appends a record as it is once fields were changed; fields that are removed are not there any more.
    mutating func append(_ id: UInt64, fields old: RawSpan, changedBy changes: RawSpan) {
        var old = MetadataFieldWalk(old)
        var change = MetadataFieldWalk(changes)
        var hasOld = old.next()
        while change.next() {
            while hasOld, old.field < change.field {
                bytes.append(contentsOf: old.bytes.extracting(old.range))
                hasOld = old.next()
            }
            if hasOld, old.field == change.field { hasOld = old.next() }
            if change.value.tag != MetadataTag.removed {
                bytes.append(contentsOf: change.bytes.extracting(change.range))
            }
        }
        while hasOld {
            bytes.append(contentsOf: old.bytes.extracting(old.range))
            hasOld = old.next()
        }
        close(id, mark: 0)
    }

    mutating func append(_ other: MetadataRecords, at position: Int) {
        if other.isDelete(at: position) { return appendDelete(of: other.ids[position]) }
        let source = other.bytes.bytes
        append(other.ids[position], fields: source.extracting(other.range(at: position)))
    }

    /// Two runs as one; where both have an id, the newer one's record counts.
    ///
    /// - Parameter dropsDeletes: whether nothing older is left for a record that deletes to hide.
    init(merging older: MetadataRecords, _ newer: MetadataRecords, dropsDeletes: Bool) {
        reserve(older.count + newer.count)
        bytes.reserveCapacity(older.bytes.count + newer.bytes.count)
        var left = 0
        var right = 0
        while left < older.count || right < newer.count {
            let takesOlder = right == newer.count || (left < older.count && older.ids[left] < newer.ids[right])
            if takesOlder {
                if !dropsDeletes || !older.isDelete(at: left) { append(older, at: left) }
                left += 1
            } else {
                if left < older.count, older.ids[left] == newer.ids[right] { left += 1 }
                if !dropsDeletes || !newer.isDelete(at: right) { append(newer, at: right) }
                right += 1
            }
        }
    }

    private mutating func close(_ id: UInt64, mark: UInt32) {
        // An eighth of this is the most that a payload can hold, and all payloads of a chain together.
        precondition(bytes.count < Int(Self.deleteMark), "more metadata than a chain of segments can hold")
        ids.append(id)
        ends.append(UInt32(bytes.count) | mark)
    }
}

/// Walks over the fields of one record, which were checked when they came into memory.
struct MetadataFieldWalk: ~Escapable {
    let bytes: RawSpan
    private var offset = 0
    /// The field that the walk is at; valid after ``next()`` said that there is one.
    private(set) var field: UInt16 = 0
    private(set) var value = MetadataEncodedValue.none
    /// Where the field stands, its id included.
    private(set) var range = 0..<0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) {
        self.bytes = bytes
    }

    /// Moves to the next field; false at the end.
    @_lifetime(self: copy self)
    mutating func next() -> Bool {
        guard offset < bytes.byteCount else { return false }
        field = bytes.integer(UInt16.self, at: offset)
        value = MetadataEncodedValue(checked: bytes, at: offset + 2)
        range = offset..<value.end
        offset = value.end
        return true
    }
}
