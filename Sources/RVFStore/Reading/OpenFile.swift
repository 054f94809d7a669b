package import RVFHost
package import SystemPackage

/// Where a store lives: its directory, held open so that neither `chdir` nor a moved directory changes what the
/// name means, and its name there.
package final class StoreLocation<H: Host>: Sendable {
    package let host: H
    /// As the user gave it, for messages.
    package let path: FilePath
    private let name: FilePath
    private let directory: FileDescriptor

    package init(host: H, path: FilePath) throws(StoreError) {
        guard let last = path.lastComponent else { throw StoreError.notAStore(path, .notARegularFile) }
        let parent = path.removingLastComponent()
        self.host = host
        self.path = path
        name = FilePath(root: nil, [last])
        do throws(Errno) {
            directory = try host.openDirectory(parent.isEmpty ? "." : parent)
        } catch {
            throw StoreError.system(.openDirectory, path, error)
        }
    }

    deinit {
        host.close(directory)
    }

    /// What the path names now, links followed.
    package func status() throws(StoreError) -> FileStatus {
        do throws(Errno) {
            return try host.status(of: name, in: directory, followingLinks: true)
        } catch {
            throw StoreError.system(.examine, path, error)
        }
    }

    /// Opens the file and makes sure that it is a regular one.
    package func open(_ mode: FileDescriptor.AccessMode) throws(StoreError) -> OpenFile<H> {
        let descriptor: FileDescriptor
        do throws(Errno) {
            // A pipe under that name must not make the caller wait for its other end.
            descriptor = try host.open(name, in: directory, mode, options: .nonBlocking, permissions: [])
        } catch {
            throw error == .isDirectory
                ? StoreError.notAStore(path, .notARegularFile) : StoreError.system(.open, path, error)
        }
        let file = OpenFile(host: host, descriptor: descriptor, path: path)
        guard try file.status().kind == .regular else { throw StoreError.notAStore(path, .notARegularFile) }
        return file
    }
}

/// An open store file, closed with the last reference: a snapshot keeps its file, also when the name has gone.
package final class OpenFile<H: Host>: Sendable {
    package let host: H
    package let descriptor: FileDescriptor
    package let path: FilePath
    private let isOwner: Bool

    /// - Parameter isOwner: whether the descriptor is this object's to close.
    package init(host: H, descriptor: FileDescriptor, path: FilePath, isOwner: Bool = true) {
        self.host = host
        self.descriptor = descriptor
        self.path = path
        self.isOwner = isOwner
    }

    deinit {
        if isOwner { host.close(descriptor) }
    }

    package func status() throws(StoreError) -> FileStatus {
        do throws(Errno) {
            return try host.status(of: descriptor)
        } catch {
            throw StoreError.system(.examine, path, error)
        }
    }

    /// The length alone, which costs the next sync nothing.
    func sizeBytes() throws(StoreError) -> Int64 {
        do throws(Errno) {
            return try host.sizeBytes(of: descriptor)
        } catch {
            throw StoreError.system(.examine, path, error)
        }
    }

    /// Reads exactly as many bytes as the buffer takes; a file that ends before is damaged.
    package func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        var filled = 0
        while filled < buffer.count {
            let count: Int
            do throws(Errno) {
                // The rest of a buffer that the caller keeps alive.
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                count = try unsafe host.read(descriptor, into: rest, at: Int64(offset) + Int64(filled))
            } catch {
                throw StoreError.system(.read, path, error)
            }
            if count == 0 {
                throw StoreError.damaged(
                    path, offset: offset + UInt64(filled),
                    what: "the file ends here, though it was longer when it was opened")
            }
            filled += count
        }
    }

    /// The same file for writing, for as long as this object lives.
    var writing: BorrowedFile<H> { BorrowedFile(host: host, descriptor: descriptor, path: path) }
}
