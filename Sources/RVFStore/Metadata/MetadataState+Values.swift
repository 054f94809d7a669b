extension MetadataState {
    /// A vector's fields by rising field id; nil where the vector has no record.
    package func fields(of id: UInt64) -> [(field: MetadataField, value: MetadataValue)]? {
        withFields(of: id) { bytes in
            var fields: [(field: MetadataField, value: MetadataValue)] = []
            var walk = MetadataFieldWalk(bytes)
            while walk.next() {
                guard let position = schema.position(ofField: walk.field), let value = walk.value.decoded(in: bytes)
                else { continue }
                fields.append((schema[position], value))
            }
            return fields
        }
    }

    /// One field of a vector; nil where it is missing, which is not the same as null.
    package func value(of field: String, for id: UInt64) -> MetadataValue? {
        guard let field = schema.field(named: field)?.id else { return nil }
        return withFields(of: id) { bytes in bytes.metadataValue(of: field)?.decoded(in: bytes) } ?? nil
    }

    /// The value of a key of the file; nil where it has none.
    package func fileValue(of key: String) -> MetadataValue? {
        let key = ExactText(key)
        var low = 0
        var high = fileRecords.count
        while low < high {
            let middle = (low + high) / 2
            if ExactText(fileRecords[middle].key) < key { low = middle + 1 } else { high = middle }
        }
        guard low < fileRecords.count, ExactText(fileRecords[low].key) == key else { return nil }
        return fileRecords[low].value
    }

    /// All of it as a full snapshot.
    package func snapshot(generation: UInt64) -> MetadataPayload {
        MetadataPayload(
            generation: generation, baseGeneration: nil, schema: schema, fileRecords: fileRecords, records: merged())
    }
}

extension MetadataState {
    /// The bytes of each field's value; nil where the vector has no record.
    func encodedFields(of id: UInt64) -> [UInt16: [UInt8]]? {
        withFields(of: id) { bytes in
            var fields: [UInt16: [UInt8]] = [:]
            var walk = MetadataFieldWalk(bytes)
            while walk.next() { fields[walk.field] = bytes.copy((walk.range.lowerBound + 2)..<walk.range.upperBound) }
            return fields
        }
    }
}

extension [MetadataField] {
    /// Where a field stands among fields of rising ids.
    func position(ofField id: UInt16) -> Int? {
        let position = insertionPosition(ofField: id)
        return position < count && self[position].id == id ? position : nil
    }

    /// Where a field stands, or would.
    func insertionPosition(ofField id: UInt16) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The field with this name, byte by byte; of several, the one with the lowest id.
    package func field(named name: String) -> MetadataField? {
        first { ExactText($0.name) == ExactText(name) }
    }
}

extension RawSpan {
    /// The value of a field among the encoded fields of a record.
    func metadataValue(of field: UInt16) -> MetadataEncodedValue? {
        var walk = MetadataFieldWalk(self)
        while walk.next(), walk.field <= field {
            if walk.field == field { return walk.value }
        }
        return nil
    }
}

extension MetadataRecords {
    /// The fields that have a value other than null in some record.
    func fieldsWithValues() -> Set<UInt16> {
        var fields: Set<UInt16> = []
        var walk = MetadataFieldWalk(bytes.bytes)
        while walk.next() {
            if MetadataType(rawValue: walk.value.tag) != nil { fields.insert(walk.field) }
        }
        return fields
    }
}
