package import RVFStore

/// Rows as JSON, the way that `rvf ingest` reads them, for whoever has them in memory.
package enum RowText {
    package struct Row: Equatable, Sendable {
        package var id: UInt64
        package var vector: [Float]
        /// Nil where the row says nothing of it.
        package var metadata: [String: MetadataValue]?
    }

    /// Nil where the text is not all rows of this dimension.
    package static func rows(_ text: [UInt8], dimension: Int) -> [Row]? {
        do throws(Failure) {
            var reader = try RowReader(ByteInput(text, name: "memory"), dimension: dimension)
            var rows: [Row] = []
            while true {
                let batch = try reader.next(atMost: 1)
                guard let id = batch.ids.first else { return rows }
                rows.append(Row(id: id, vector: batch.components, metadata: batch.metadata.first?.fields))
            }
        } catch {
            return nil
        }
    }

    package static func text(_ rows: [Row]) -> String {
        JSON.array(
            rows.map { row in
                let metadata = row.metadata.map { [("metadata", JSON.metadata($0))] } ?? []
                return .object([("id", .unsigned(row.id)), ("vector", .array(row.vector.map(JSON.float)))] + metadata)
            }
        ).line
    }
}
