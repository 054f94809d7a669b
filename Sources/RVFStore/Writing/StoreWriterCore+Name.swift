import RVFHost
import RVFLock
import SystemPackage

/// The name that leads to the store's file. A power cut may take it away, with all that was committed to the file since,
/// until a sync of its directory has made it durable.
extension StoreWriterCore {
    /// Whoever gave the file its name, by creation or compaction, may have been killed before it synced the directory. So
    /// a writer does before its first sync.
    mutating func makeNameDurable() throws(StoreError) {
        if isNameDurable { return }
        do throws(LockError) {
            try nameSite.syncDirectory(.replaceProtectedFile)
        } catch {
            guard case .system(_, _, let errno) = error else { throw StoreError.lock(error) }
            throw StoreError.system(.syncName, file.path, errno)
        }
        isNameDurable = true
    }

    /// After a replacement whose end is not known: makes the name durable, and opens whatever has it.
    mutating func settleName() throws(StoreError) {
        guard isNameUnsettled else { return }
        try validateLock()
        do throws(LockError) {
            try nameSite.syncDirectory(.replaceProtectedFile)
        } catch {
            throw StoreError.notReplaced(error)
        }
        try reopen()
    }

    /// Goes on in whatever file has the name, once that is durable.
    mutating func reopen() throws(StoreError) {
        let memory = compactionMemory
        self = try Self.open(location, under: lock, options: options, nameSite: nameSite, isNameDurable: true)
        compactionMemory = memory
    }
}
