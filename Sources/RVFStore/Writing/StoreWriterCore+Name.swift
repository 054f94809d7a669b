import RVFHost
import RVFLock
import SystemPackage

/// The name that leads to the store's file. A power cut may take it away, with all that was committed to the file since,
/// until a sync of its directory has made it durable.
extension StoreWriterCore {
    /// Whoever gave the file its name, by creation or compaction, may have been killed before it synced the directory. So
    /// a writer does with its first sync.
    mutating func makeNameDurable() throws(StoreError) {
        if isNameDurable { return }
        do throws(LockError) {
            try syncDirectory()
        } catch {
            guard case .system(_, _, let errno) = error else { throw StoreError.lock(error) }
            // Where nobody can sync a directory, or not this user, there is no more to be done about it.
            let cannot: [Errno] = [.permissionDenied, .notPermitted, .invalidArgument, .notSupported]
            if !cannot.contains(errno) { throw StoreError.system(.syncName, file.path, errno) }
        }
        isNameDurable = true
    }

    /// After a replacement whose end is not known: makes the name durable, and opens whatever has it.
    mutating func settleName() throws(StoreError) {
        guard isNameUnsettled else { return }
        try validateLock()
        do throws(LockError) {
            try syncDirectory()
        } catch {
            throw StoreError.notReplaced(error)
        }
        try reopen()
    }

    /// Goes on in whatever file has the name, once that is durable.
    mutating func reopen() throws(StoreError) {
        let memory = compactionMemory
        self = try Self.open(location, under: lock, options: options, isNameDurable: true)
        compactionMemory = memory
    }

    /// Of the file itself, where the path is a link to it.
    private func syncDirectory() throws(LockError) {
        let target: FilePath
        do throws(Errno) {
            target = try file.host.resolve(file.path)
        } catch {
            throw LockError.system(.replaceProtectedFile, file.path, error)
        }
        try LockSite(host: file.host, path: target).syncDirectory()
    }
}

extension LockSite {
    /// Makes the directory's entries durable.
    func syncDirectory() throws(LockError) {
        try attempting(.replaceProtectedFile) { () throws(Errno) in
            let open = try openDirectoryForReading()
            defer { host.close(open) }
            try host.sync(open)
        }
    }
}
