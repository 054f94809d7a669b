import RVFHost
import Synchronization

/// Writes and syncs of every file, by its identity.
final class Disk: Sendable {
    struct File: Sendable {
        /// What a power cut leaves at least.
        var durable: [UInt8] = []
        var written: [UInt8] = []
    }

    private let files = Mutex<[FileIdentity: File]>([:])

    func write(_ bytes: [UInt8], at offset: Int, of file: FileIdentity) {
        files.withLock { files in
            var state = files[file] ?? File()
            let end = offset + bytes.count
            if state.written.count < end { state.written += [UInt8](repeating: 0, count: end - state.written.count) }
            state.written.replaceSubrange(offset..<end, with: bytes)
            files[file] = state
        }
    }

    func truncate(_ file: FileIdentity) { files.withLock { $0[file]?.written = [] } }
    func sync(_ file: FileIdentity) {
        files.withLock { files in
            let written = files[file]?.written ?? []
            files[file]?.durable = written
        }
    }

    /// What a failed sync leaves, of all files: nothing that was written since the last one is on the medium, nor will it
    /// be with the next. It can still be read.
    func forget() {
        files.withLock { files in
            files = files.mapValues { File(durable: $0.durable, written: $0.durable) }
        }
    }

    func durable(_ file: FileIdentity) -> [UInt8]? { files.withLock { $0[file]?.durable } }
}
