/// The payload of a metadata segment, version 1: all metadata of a store (a full snapshot), or what one commit
/// changed (a delta).
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | 8 bytes | magic, `RVFMETA` and a zero |
/// | 8 | u16 | version, 1 |
/// | 10 | u16 | flags; bit 0: full snapshot; no other is known |
/// | 12 | u64 | generation |
/// | 20 | u64 | base generation: one less in a delta, all ones (none) in a full snapshot |
/// | 28 | u32 | schema entries |
/// | 32 | u32 | file records |
/// | 36 | u32 | vector records |
/// | 40 | schema entries, by rising field id: | |
/// | +0 | u16 | field id |
/// | +2 | u8 | type, see ``MetadataType`` |
/// | +3 | u8 | 1 = nullable, 0 = not |
/// | +4 | u16, bytes | length and UTF-8 of the name, which is not empty |
/// | … | file records, by rising bytes of the key: | |
/// | +0 | u16, bytes | length and UTF-8 of the key |
/// | … | value | see ``MetadataEncodedValue`` |
/// | … | vector records, by rising id: | |
/// | +0 | u64 | id |
/// | +8 | u8 | 0 = these fields are set or removed, 1 = the record is not there any more |
/// | +9 | u32 | fields, 0 where the record is removed |
/// | +13 | by rising field id: u16, value | field id, and a value of the type that the schema entry gives |
/// | … | footer: 8 bytes | `RVFDONE` and a zero |
/// | +8 | 32 bytes | SHA-256 of all before the footer |
///
/// Every field that a record names has a schema entry in the same payload, and is null only where that says so. Only
/// a delta says that a field or key was removed. A full snapshot can hold records that delete; they mean nothing there.
package struct MetadataPayload: Equatable, Sendable {
    package var generation: UInt64
    /// What a delta changes; nil for a full snapshot.
    package var baseGeneration: UInt64?
    package var schema: [MetadataField]
    package var fileRecords: [MetadataFileRecord]
    package var records: MetadataRecords

    package var isSnapshot: Bool { baseGeneration == nil }

    package init(
        generation: UInt64, baseGeneration: UInt64?, schema: [MetadataField], fileRecords: [MetadataFileRecord],
        records: MetadataRecords
    ) {
        self.generation = generation
        self.baseGeneration = baseGeneration
        self.schema = schema
        self.fileRecords = fileRecords
        self.records = records
    }

    package init(_ payload: RawSpan) throws(FormatError) {
        try MetadataFooter.check(payload)
        let body = payload.extracting(0..<(payload.byteCount - MetadataFormat.footerByteCount))
        try self.init(body: body, keepsRecords: true)
    }

    /// - Parameter keepsRecords: false to check all of the body and keep no copy of its vector records.
    private init(body: RawSpan, keepsRecords: Bool) throws(FormatError) {
        var cursor = MetadataCursor(body)
        let header = try MetadataHeader(&cursor)
        generation = header.generation
        baseGeneration = header.baseGeneration
        schema = try Self.readSchema(&cursor, count: header.schemaCount)
        let isDelta = !header.isSnapshot
        fileRecords = try Self.readFileRecords(&cursor, count: header.fileRecordCount, isDelta: isDelta)
        var reader = MetadataRecordReader(schema: schema, isDelta: isDelta, keepsRecords: keepsRecords)
        try reader.read(&cursor, count: header.vectorRecordCount)
        records = reader.records
        guard cursor.remainingBytes == 0 else {
            throw FormatError(
                offset: cursor.offset, what: "\(cursor.remainingBytes) bytes that belong to nothing before the footer")
        }
    }

    /// The payload's bytes. What ``init(_:)`` would refuse is refused here; the error's offset is where it would stand.
    package func encoded() throws(FormatError) -> [UInt8] {
        try checkLengths()
        var bytes: [UInt8] = []
        MetadataHeader(self).encode(into: &bytes)
        for field in schema {
            bytes.append(littleEndian: field.id)
            bytes.append(field.type.rawValue)
            bytes.append(field.isNullable ? 1 : 0)
            bytes.append(metadataName: field.name)
        }
        for record in fileRecords {
            bytes.append(metadataName: record.key)
            bytes.append(metadata: record.value)
            try checkByteCount(bytes.count)
        }
        try checkByteCount(
            bytes.count + MetadataFormat.smallestVectorRecordByteCount * records.count + records.bytes.count)
        for position in 0..<records.count { encodeRecord(position, into: &bytes) }
        // What was built from values is judged as what comes from a file is.
        _ = try MetadataPayload(body: bytes.bytes, keepsRecords: false)
        MetadataFooter.append(to: &bytes)
        return bytes
    }

    private func encodeRecord(_ position: Int, into bytes: inout [UInt8]) {
        bytes.append(littleEndian: records.ids[position])
        bytes.append(records.isDelete(at: position) ? 1 : 0)
        let fields = records.bytes.bytes.extracting(records.range(at: position))
        var walk = MetadataFieldWalk(fields)
        var count: UInt32 = 0
        while walk.next() { count += 1 }
        bytes.append(littleEndian: count)
        bytes.append(contentsOf: fields)
    }

    /// What would not fit into the fields that say how long it is, and so could not be refused after encoding.
    private func checkLengths() throws(FormatError) {
        let names = schema.map(\.name) + fileRecords.map(\.key)
        if let long = names.first(where: { $0.utf8.count > MetadataFormat.nameByteLimit }) {
            throw FormatError(
                offset: MetadataFormat.headerByteCount,
                what: "a name of \(long.utf8.count) bytes; at most \(MetadataFormat.nameByteLimit) are allowed")
        }
        for record in fileRecords where (record.value?.contentByteCount ?? 0) > MetadataFormat.valueByteLimit {
            throw FormatError(
                offset: MetadataFormat.headerByteCount,
                what: "a value of more than \(MetadataFormat.valueByteLimit) bytes")
        }
    }

    private func checkByteCount(_ bodyByteCount: Int) throws(FormatError) {
        try MetadataFooter.checkByteCount(bodyByteCount + MetadataFormat.footerByteCount)
    }
}

/// A key of the file and its value; nil where a delta removes the key.
package struct MetadataFileRecord: Hashable, Sendable {
    package var key: String
    package var value: MetadataValue?

    package init(key: String, value: MetadataValue?) {
        self.key = key
        self.value = value
    }
}

extension MetadataValue {
    /// Bytes of a string or of bytes, 0 for others.
    var contentByteCount: Int {
        switch self {
        case .string(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        default: 0
        }
    }
}
