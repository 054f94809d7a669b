/// The 40 bytes in front of a metadata payload, see ``MetadataPayload``.
struct MetadataHeader {
    var generation: UInt64
    var baseGeneration: UInt64?
    var schemaCount: Int
    var fileRecordCount: Int
    var vectorRecordCount: Int

    var isSnapshot: Bool { baseGeneration == nil }

    init(_ payload: MetadataPayload) {
        generation = payload.generation
        baseGeneration = payload.baseGeneration
        schemaCount = payload.schema.count
        fileRecordCount = payload.fileRecords.count
        vectorRecordCount = payload.records.count
    }

    init(_ cursor: inout MetadataCursor) throws(FormatError) {
        guard try cursor.next(UInt64.self, "the magic") == MetadataFormat.magic else {
            throw FormatError(offset: 0, what: "this is no metadata: the magic is another")
        }
        let version = try cursor.next(UInt16.self, "the version")
        guard version == MetadataFormat.version else {
            throw FormatError(offset: 8, what: "metadata of version \(version), which is not known")
        }
        let flags = try cursor.next(UInt16.self, "the flags")
        guard flags & ~MetadataFormat.flagFullSnapshot == 0 else {
            throw FormatError(offset: 10, what: "flags that are not known: 0x\(String(flags, radix: 16))")
        }
        generation = try cursor.next(UInt64.self, "the generation")
        let base = try cursor.next(UInt64.self, "the base generation")
        baseGeneration = base == MetadataFormat.noBase ? nil : base
        try Self.checkBase(base, generation: generation, isSnapshot: flags == MetadataFormat.flagFullSnapshot)
        schemaCount = try cursor.count(limit: MetadataFormat.fieldLimit, "the number of schema entries")
        fileRecordCount = try cursor.count(limit: MetadataFormat.fileRecordLimit, "the number of file records")
        vectorRecordCount = try cursor.count(limit: MetadataFormat.vectorRecordLimit, "the number of vector records")
    }

    private static func checkBase(_ base: UInt64, generation: UInt64, isSnapshot: Bool) throws(FormatError) {
        let offset = MetadataFormat.baseGenerationOffset
        if isSnapshot {
            guard base == MetadataFormat.noBase else {
                throw FormatError(offset: offset, what: "a full snapshot that has a base, generation \(base)")
            }
        } else {
            guard base != MetadataFormat.noBase else {
                throw FormatError(offset: offset, what: "a delta that has no base")
            }
            guard generation == base + 1 else {
                throw FormatError(
                    offset: MetadataFormat.generationOffset,
                    what: "a delta of generation \(generation), which does not follow its base \(base)")
            }
        }
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(littleEndian: MetadataFormat.magic)
        bytes.append(littleEndian: MetadataFormat.version)
        bytes.append(littleEndian: isSnapshot ? MetadataFormat.flagFullSnapshot : 0)
        bytes.append(littleEndian: generation)
        bytes.append(littleEndian: baseGeneration ?? MetadataFormat.noBase)
        for count in [schemaCount, fileRecordCount, vectorRecordCount] {
            bytes.append(littleEndian: UInt32(clamping: count))
        }
    }
}

extension MetadataPayload {
    static func readSchema(_ cursor: inout MetadataCursor, count: Int) throws(FormatError) -> [MetadataField] {
        try cursor.requireItems(count, ofBytes: MetadataFormat.smallestSchemaEntryByteCount, "schema entries")
        var schema: [MetadataField] = []
        schema.reserveCapacity(count)
        for _ in 0..<count {
            let place = cursor.offset
            let id = try cursor.next(UInt16.self, "a schema entry's field id")
            if let last = schema.last, last.id >= id {
                throw FormatError(offset: place, what: "a schema entry for field \(id) after one for field \(last.id)")
            }
            let number = try cursor.next(UInt8.self, "a schema entry's type")
            guard let type = MetadataType(rawValue: number) else {
                throw FormatError(offset: place + 2, what: "a field of the unknown type \(number)")
            }
            let nullable = try cursor.next(UInt8.self, "a schema entry's nullable mark")
            guard nullable <= 1 else {
                throw FormatError(offset: place + 3, what: "a nullable mark of \(nullable), neither 0 nor 1")
            }
            let name = try cursor.name("a field's name")
            guard !name.isEmpty else { throw FormatError(offset: place + 4, what: "a field without a name") }
            schema.append(MetadataField(id: id, name: name, type: type, isNullable: nullable == 1))
        }
        return schema
    }

    static func readFileRecords(
        _ cursor: inout MetadataCursor, count: Int, isDelta: Bool
    ) throws(FormatError) -> [MetadataFileRecord] {
        try cursor.requireItems(count, ofBytes: MetadataFormat.smallestFileRecordByteCount, "file records")
        var records: [MetadataFileRecord] = []
        records.reserveCapacity(count)
        for _ in 0..<count {
            let place = cursor.offset
            let key = try cursor.name("a key")
            if let last = records.last, !(ExactText(last.key) < ExactText(key)) {
                throw FormatError(offset: place, what: "a file record whose key does not rise")
            }
            let valuePlace = cursor.offset
            let value = try MetadataEncodedValue(&cursor)
            guard isDelta || value.tag != MetadataTag.removed else {
                throw FormatError(offset: valuePlace, what: "a full snapshot that removes a key")
            }
            records.append(MetadataFileRecord(key: key, value: value.decoded(in: cursor.bytes)))
        }
        return records
    }
}
