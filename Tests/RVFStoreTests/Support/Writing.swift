import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage

extension ReferenceStore {
    /// What that runtime makes of a file.
    init(at path: FilePath) throws {
        let file = try FileDescriptor.open(path, .readOnly)
        let bytes = try file.closeAfter {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = try unsafe chunk.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
                if count == 0 { break }
                bytes += chunk[..<count]
            }
            return bytes
        }
        self = try ReferenceStore(bytes)
    }
}

/// Rows as a writer takes them.
func batch(_ rows: [(UInt64, [Float])]) -> [Row] {
    rows.map { Row(id: $0.0, vector: $0.1) }
}

/// Rows by id.
func dictionary(_ rows: [(UInt64, [Float])]) -> [UInt64: [Float]] {
    Dictionary(rows, uniquingKeysWith: { $1 })
}

extension StoreWriterCore {
    /// One commit of rows.
    @discardableResult
    mutating func append(_ rows: [Row]) throws(StoreError) -> CommitResult {
        var transaction = Transaction()
        transaction.upsert(rows)
        return try commit(transaction)
    }
}
