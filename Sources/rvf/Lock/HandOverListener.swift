import RVFHost
import SystemPackage

/// The socket at which a holder waits for its successor. For its owner only; removed at the end.
struct HandOverListener {
    let path: FilePath
    let socket: FileDescriptor
    private let host = POSIXHost()

    init(at path: FilePath) throws(Failure) {
        self.path = path
        Self.removeAbandoned(path, host)
        do throws(Errno) {
            socket = try host.listen(at: path)
        } catch {
            throw Self.failure("listening", path, error)
        }
    }

    /// A socket file that a killed holder left is in the way of the next.
    private static func removeAbandoned(_ path: FilePath, _ host: POSIXHost) {
        do throws(Errno) {
            host.close(try host.connect(to: path))
        } catch {
            guard error == .connectionRefused else { return }
            try? remove(path, host)
        }
    }

    private static func remove(_ path: FilePath, _ host: POSIXHost) throws(Errno) {
        guard let name = path.lastComponent else { return }
        let parent = path.removingLastComponent()
        let directory = try host.openDirectory(parent.isEmpty ? "." : parent)
        defer { host.close(directory) }
        let entry = FilePath(root: nil, [name])
        // A regular file refuses connections too.
        guard try host.status(of: entry, in: directory, followingLinks: false).kind == .socket else { return }
        try host.unlink(entry, in: directory)
    }

    func accept() throws(Failure) -> FileDescriptor {
        do throws(Errno) {
            return try host.accept(socket)
        } catch {
            throw Self.failure("accepting a connection", path, error)
        }
    }

    func dismiss(_ visitor: FileDescriptor) { host.close(visitor) }

    func close() {
        host.close(socket)
        try? Self.remove(path, host)
    }

    private static func failure(_ attempt: String, _ path: FilePath, _ error: Errno) -> Failure {
        Failure(.failed, code: "system", "\(attempt) at \(path) failed: \(error)")
    }
}
