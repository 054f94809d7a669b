package import RVFHost
package import SystemPackage

/// Reading and writing the record of an open lock file, short reads and short writes included.
package struct LockFile<H: Host>: Sendable {
    package let site: LockSite<H>
    package let descriptor: FileDescriptor

    package init(site: LockSite<H>, descriptor: FileDescriptor) {
        self.site = site
        self.descriptor = descriptor
    }

    /// The first 104 bytes, without the heap; nil where the file has fewer.
    package func recordBytes() throws(LockError) -> RecordBytes? {
        var bytes = RecordBytes()
        let result: Result<Int, Errno> = unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(Errno) {
                return .success(try unsafe Self.readFully(site.host, descriptor, buffer))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let count): return count == LockRecord.byteCount ? bytes : nil
        case .failure(let error): throw .system(.readLock, site.path, error)
        }
    }

    /// The first 104 bytes, or as many as there are.
    package func startBytes() throws(LockError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: LockRecord.byteCount)
        let result: Result<Int, Errno> = unsafe bytes.withUnsafeMutableBytes { buffer in
            do throws(Errno) {
                return .success(try unsafe Self.readFully(site.host, descriptor, buffer))
            } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let count): return Array(bytes.prefix(count))
        case .failure(let error): throw .system(.readLock, site.path, error)
        }
    }

    private static func readFully(
        _ host: H, _ descriptor: FileDescriptor, _ buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = try unsafe host.read(descriptor, into: rest, at: Int64(filled))
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    package func write(_ record: RecordBytes, _ operation: LockError.Operation) throws(LockError) {
        try write(record, from: 0, to: LockRecord.byteCount, operation)
    }

    /// The one aligned write of eight bytes by which a record is kept fresh.
    package func writeTimestamp(of record: RecordBytes, _ operation: LockError.Operation) throws(LockError) {
        let field = LockRecord.Layout.timestamp
        try write(record, from: field.offset, to: field.end, operation)
    }

    /// The timestamp with the guard byte that lies just before it.
    package func writeGuardAndTimestamp(
        of record: RecordBytes, _ operation: LockError.Operation
    ) throws(LockError) {
        try write(record, from: LockRecord.Layout.guardByte.offset, to: LockRecord.Layout.timestamp.end, operation)
    }

    private func write(
        _ record: RecordBytes, from start: Int, to end: Int, _ operation: LockError.Operation
    ) throws(LockError) {
        let result: Result<Void, Errno> = unsafe record.withUnsafeBytes { bytes in
            do throws(Errno) {
                var position = start
                while position < end {
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<end])
                    position += try unsafe site.host.write(descriptor, from: rest, at: Int64(position))
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        if case .failure(let error) = result { throw .system(operation, site.path, error) }
    }
}
