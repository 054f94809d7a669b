import RVFHost
import RVFLock
import SystemPackage

/// A store file on its way to a name that nothing has: complete and durable before the name appears. Dropped without
/// that it vanishes.
struct NewFile<H: Host>: ~Copyable {
    private let site: LockSite<H>
    let descriptor: FileDescriptor
    /// Nil for a file that has no name yet, and vanishes by itself.
    private let privateName: FilePath?
    private var isNamed = false

    var writing: BorrowedFile<H> { BorrowedFile(host: site.host, descriptor: descriptor, path: site.path) }

    /// - Throws: ``StoreError/exists(_:_:)`` where something has the name, whatever it is.
    init(host: H, path: FilePath) throws(StoreError) {
        let site: LockSite<H>
        let name: FilePath?
        do throws(LockError) {
            site = try LockSite(host: host, path: path)
            if try site.statusIfPresent(of: site.dataName, followingLinks: false, .createProtectedFile) != nil {
                throw LockError.protectedFileExists(path)
            }
            // Nobody else may read the rows before the file has the mode that it is to have.
            if let file = try? host.openUnnamed(in: site.directory, permissions: .ownerReadWrite) {
                descriptor = file
                name = nil
            } else {
                let private_ = site.makePrivateName()
                descriptor = try site.attempting(.createProtectedFile) { () throws(Errno) in
                    try host.open(
                        private_, in: site.directory, .readWrite, options: [.create, .exclusiveCreate, .noFollow],
                        permissions: .ownerReadWrite)
                }
                name = private_
            }
        } catch {
            throw Self.refusal(error, host, path)
        }
        self.site = site
        privateName = name
        // What tells a sweep of private files that this one is in use.
        if name != nil { _ = try? host.tryLock(descriptor) }
    }

    deinit {
        if !isNamed, let privateName { try? site.host.unlink(privateName, in: site.directory) }
        site.host.close(descriptor)
    }

    /// Makes the file durable, gives it its name without replacing anything, and makes that durable too.
    consuming func publish() throws(StoreError) {
        try writing.sync()
        do throws(LockError) {
            try link()
            isNamed = true
            try site.syncDirectory(.createProtectedFile)
        } catch {
            throw Self.refusal(error, site.host, site.path)
        }
    }

    private func link() throws(LockError) {
        let (host, directory, name) = (site.host, site.directory, site.dataName)
        do throws(Errno) {
            guard let privateName else { return try host.linkUnnamed(descriptor, as: name, in: directory) }
            do throws(Errno) {
                try host.renameExclusively(privateName, to: name, in: directory)
            } catch {
                if error == .fileExists { throw error }
                try host.link(privateName, as: name, in: directory)
                try host.unlink(privateName, in: directory)
            }
        } catch {
            if error == .fileExists { throw .protectedFileExists(site.path) }
            throw .system(.createProtectedFile, site.path, error)
        }
    }

    private static func refusal(_ error: LockError, _ host: H, _ path: FilePath) -> StoreError {
        switch error {
        case .protectedFileExists: .exists(path, ExistingFile(at: path, host))
        case .system(.openDirectory, _, let error): .system(.openDirectory, path, error)
        case .system(_, _, let error): .system(.create, path, error)
        default: .lock(error)
        }
    }
}
