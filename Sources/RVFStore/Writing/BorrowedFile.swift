import RVFHost
import SystemPackage

/// A file that somebody else closes, for writing.
struct BorrowedFile<H: Host>: Sendable {
    let host: H
    let descriptor: FileDescriptor
    let path: FilePath

    /// Writes all of the bytes.
    func write(_ bytes: [UInt8], at offset: UInt64) throws(StoreError) {
        try write(bytes.bytes, at: offset)
    }

    /// Writes all of the bytes.
    func write(_ bytes: RawSpan, at offset: UInt64) throws(StoreError) {
        var written = 0
        while written < bytes.byteCount {
            let result: Result<Int, Errno> = unsafe bytes.withUnsafeBytes { buffer in
                do throws(Errno) {
                    // The rest of bytes that are lent for the call.
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
                    return .success(try unsafe host.write(descriptor, from: rest, at: Int64(offset) + Int64(written)))
                } catch {
                    return .failure(error)
                }
            }
            switch result {
            // A call that takes nothing would be repeated for ever.
            case .success(0): throw StoreError.system(.write, path, .ioError)
            case .success(let count): written += count
            case .failure(let error): throw StoreError.system(.write, path, error)
            }
        }
    }

    /// Makes the file's bytes and its length durable.
    func syncData() throws(StoreError) {
        do throws(Errno) {
            try host.syncData(descriptor)
        } catch {
            throw StoreError.system(.sync, path, error)
        }
    }
}
