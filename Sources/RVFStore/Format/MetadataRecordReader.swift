/// Reads and checks the vector records of one payload.
struct MetadataRecordReader {
    private(set) var records = MetadataRecords()
    /// By field id, up to the highest: 0 where the schema has no entry, else the type and the mark.
    private var kinds: [UInt8]
    private let isDelta: Bool
    private let keepsRecords: Bool

    private static let nullableMark: UInt8 = 0x80

    init(schema: [MetadataField], isDelta: Bool, keepsRecords: Bool) {
        kinds = [UInt8](repeating: 0, count: schema.last.map { Int($0.id) + 1 } ?? 0)
        for field in schema { kinds[Int(field.id)] = field.type.rawValue | (field.isNullable ? Self.nullableMark : 0) }
        self.isDelta = isDelta
        self.keepsRecords = keepsRecords
    }

    mutating func read(_ cursor: inout MetadataCursor, count: Int) throws(FormatError) {
        try cursor.requireItems(count, ofBytes: MetadataFormat.smallestVectorRecordByteCount, "vector records")
        if keepsRecords { records.reserve(count) }
        var last: UInt64?
        for _ in 0..<count {
            let place = cursor.offset
            let id = try cursor.next(UInt64.self, "a vector record's id")
            if let last, last >= id {
                throw FormatError(offset: place, what: "a vector record for id \(id) after one for id \(last)")
            }
            last = id
            try readRecord(&cursor, id: id, at: place)
        }
    }

    private mutating func readRecord(_ cursor: inout MetadataCursor, id: UInt64, at place: Int) throws(FormatError) {
        let operation = try cursor.next(UInt8.self, "a vector record's operation")
        guard operation <= 1 else {
            throw FormatError(offset: place + 8, what: "a vector record of the unknown operation \(operation)")
        }
        let count = try cursor.count(limit: MetadataFormat.fieldLimit, "the number of a record's fields")
        if operation == 1 {
            guard count == 0 else {
                throw FormatError(offset: place + 9, what: "a record that deletes and has \(count) fields")
            }
            if keepsRecords { records.appendDelete(of: id) }
            return
        }
        try cursor.requireItems(count, ofBytes: MetadataFormat.smallestFieldByteCount, "fields")
        let start = cursor.offset
        var last: UInt16?
        for _ in 0..<count { last = try readField(&cursor, after: last) }
        if keepsRecords { records.append(id, fields: cursor.bytes.extracting(start..<cursor.offset)) }
    }

    private func readField(_ cursor: inout MetadataCursor, after last: UInt16?) throws(FormatError) -> UInt16 {
        let place = cursor.offset
        let field = try cursor.next(UInt16.self, "a field's id")
        if let last, last >= field {
            throw FormatError(offset: place, what: "field \(field) after field \(last)")
        }
        guard Int(field) < kinds.count, kinds[Int(field)] != 0 else {
            throw FormatError(offset: place, what: "field \(field), which the schema does not have")
        }
        let kind = kinds[Int(field)]
        let value = try MetadataEncodedValue(&cursor)
        switch value.tag {
        case MetadataTag.null:
            guard kind & Self.nullableMark != 0 else {
                throw FormatError(offset: place + 2, what: "field \(field) is null and may not be")
            }
        case MetadataTag.removed:
            guard isDelta else {
                throw FormatError(offset: place + 2, what: "a full snapshot that removes field \(field)")
            }
        default:
            guard value.tag == kind & ~Self.nullableMark else {
                throw FormatError(
                    offset: place + 2, what: "a value of type \(value.tag) for field \(field), which is of another type"
                )
            }
        }
        return field
    }
}
