import RVFStore

/// Rows on their way from the input to a commit.
struct Batch {
    var ids: [UInt64] = []
    /// All components, row after row.
    var components: [Float] = []
    /// All fields of those ids whose row says so.
    var metadata: [(id: UInt64, fields: [String: MetadataValue])] = []
    /// The number of the first row in the input, from 0.
    var firstRow = 0
}

/// Reads `[{"id": 1, "vector": [0.5, …], "metadata": {"name": "value"}}, …]` row by row.
struct RowReader: ~Copyable {
    private var scanner: JSONScanner
    private let dimension: Int
    private var rowsRead = 0
    private var isAtEnd = false
    /// Names of fields that were passed over.
    private(set) var ignoredFields: Set<String> = []

    /// So many are named in a message.
    private static let mostIgnoredFields = 8

    init(_ input: consuming ByteInput, dimension: Int) throws(Failure) {
        scanner = JSONScanner(input)
        self.dimension = dimension
        try scanner.skipByteOrderMark()
        try scanner.expect("[", "for the beginning of an array of rows")
    }

    /// The next rows, at most so many; none at the end.
    mutating func next(atMost count: Int) throws(Failure) -> Batch {
        var batch = Batch(firstRow: rowsRead)
        while !isAtEnd && batch.ids.count < count {
            if rowsRead == 0, try scanner.take("]") {
                try finish()
            } else {
                try readRow(into: &batch)
                if try !scanner.take(",") {
                    try scanner.expect("]", "or `,` after a row")
                    try finish()
                }
            }
        }
        return batch
    }

    private mutating func finish() throws(Failure) {
        scanner.row = nil
        isAtEnd = true
        try scanner.expectEnd()
    }

    private mutating func readRow(into batch: inout Batch) throws(Failure) {
        scanner.row = rowsRead
        try scanner.expect("{", "for a row, as in {\"id\": 1, \"vector\": [0.5, …]}")
        var id: UInt64?
        var hasVector = false
        var metadata: [String: MetadataValue]?
        if try !scanner.take("}") {
            repeat {
                let name = try scanner.string("for a field's name")
                try scanner.expect(":", "after a field's name")
                switch name {
                case "id":
                    if id != nil { throw scanner.failure("the field \"id\" stands twice", code: "invalidRow") }
                    id = try readID()
                case "vector":
                    if hasVector { throw scanner.failure("the field \"vector\" stands twice", code: "invalidRow") }
                    hasVector = true
                    try readVector(into: &batch.components)
                case "metadata":
                    if metadata != nil {
                        throw scanner.failure("the field \"metadata\" stands twice", code: "invalidRow")
                    }
                    metadata = try scanner.metadata()
                default:
                    if ignoredFields.count < Self.mostIgnoredFields { ignoredFields.insert(name) }
                    try scanner.skipValue()
                }
            } while try scanner.take(",")
            try scanner.expect("}", "or `,` after a field")
        }
        guard let id else { throw scanner.failure("the row has no \"id\"", code: "invalidRow") }
        guard hasVector else { throw scanner.failure("the row has no \"vector\"", code: "invalidRow") }
        batch.ids.append(id)
        if let metadata { batch.metadata.append((id, metadata)) }
        rowsRead += 1
    }

    private mutating func readID() throws(Failure) -> UInt64 {
        let text = try scanner.number("a number for the id")
        guard let id = UInt64(text) else {
            throw scanner.failure("the id \(text) is no whole number from 0 to \(UInt64.max)", code: "invalidRow")
        }
        return id
    }

    private mutating func readVector(into components: inout [Float]) throws(Failure) {
        var count = 0
        try scanner.expect("[", "for the vector")
        if try !scanner.take("]") {
            repeat {
                let text = try scanner.number("a number in the vector")
                // The parser only lets JSON's numbers through, and those are all understood.
                guard let component = Float(text), component.isFinite else {
                    throw scanner.failure("\(text) is too large for a 32-bit float", code: "invalidRow")
                }
                // A longer vector than the store's is refused below; it need not be kept until then.
                if count < dimension { components.append(component) }
                count += 1
            } while try scanner.take(",")
            try scanner.expect("]", "or `,` in the vector")
        }
        guard count == dimension else {
            throw scanner.failure(
                "the vector has \(count) components, where the store's rows have \(dimension)", code: "invalidRow")
        }
    }
}
