package import RVFHost
package import RVFLock
package import SystemPackage

/// A writer over any host: it holds the lock, and knows the commit that it has acknowledged last.
package struct StoreWriterCore<H: Host>: ~Copyable, Sendable {
    /// A commit that was begun and not acknowledged: whether any of it is durable nobody knows, and what a read shows
    /// of it says nothing about that.
    struct Doubt: Sendable {
        var epoch: UInt32
        var segmentID: UInt64
        /// The file cannot have become longer than this through it.
        var byteCount: UInt64
    }

    /// The last commit that is durable, where later ones were made without a sync.
    struct Unsynced: Sendable {
        var durable: SnapshotCore<H>
        /// Of `durable`, as ``StoreWriterCore/idCount``.
        var idCount: Int?
        /// Where the bytes begin that may not be durable.
        var from: UInt64
    }

    let lock: HeldLock<H>
    let location: StoreLocation<H>
    let file: OpenFile<H>
    let options: WriterOptions
    /// The directory in which the file's name is; not that of a link that leads there.
    let nameSite: LockSite<H>
    /// The commit that counts. Nothing beyond it does, whatever the file holds.
    package internal(set) var snapshot: SnapshotCore<H>
    /// Bytes in the file as this writer left it.
    var fileByteCount: UInt64
    var doubt: Doubt?
    /// Nil where everything is durable.
    var unsynced: Unsynced?
    /// Distinct ids in the vector segments, once this package has counted them.
    var idCount: Int?
    /// Whether another file may have taken the name since, through a compaction whose end is not known.
    var isNameUnsettled = false
    /// Whether the directory was synced since the file got its name.
    var isNameDurable: Bool
    /// Whether a sync of this writer has succeeded, and none failed since. Else what it opened need not be durable, though
    /// it can be read.
    var hasSynced = false
    var compactionMemory = CompactionMemory()
    /// What commits are put together in.
    var buffer: [UInt8] = []
    /// What a store without an identity is given by the first commit.
    let newIdentity: StoreIdentity

    private init(
        lock: HeldLock<H>, location: StoreLocation<H>, options: WriterOptions, file: OpenFile<H>,
        snapshot: SnapshotCore<H>, nameSite: LockSite<H>, isNameDurable: Bool
    ) {
        self.lock = lock
        self.location = location
        self.options = options
        self.file = file
        self.snapshot = snapshot
        self.nameSite = nameSite
        self.isNameDurable = isNameDurable
        newIdentity = snapshot.manifest.payload.identity ?? StoreIdentity(fileID: file.host.randomFileID())
        fileByteCount = snapshot.source.byteCount
        let manifest = snapshot.manifest.payload
        if manifest.mark?.isCounted == true { idCount = Int(exactly: manifest.totalVectorCount) }
    }

    /// Opens a file whose lock is held. Where other readers could not find its manifest any more, it is published
    /// again.
    ///
    /// - Parameters:
    ///   - nameSite: the directory of the file, if it is known.
    ///   - isNameDurable: whether the directory was synced since the file got its name.
    package static func open(
        _ location: StoreLocation<H>, under lock: HeldLock<H>, options: WriterOptions, nameSite: LockSite<H>? = nil,
        isNameDurable: Bool = false
    ) throws(StoreError) -> StoreWriterCore<H> {
        let file = try location.open(.readWrite)
        let status = try file.status()
        // The lock looks at the name, so the name must lead to the file that is open here.
        guard try location.status().identity == status.identity else {
            throw StoreError.foreignAppend(location.path, what: "another file took its name while it was opened")
        }
        // Now, since a relative path may lead elsewhere later.
        let nameSite = if let nameSite { nameSite } else { try Self.site(of: lock) }
        let size = UInt64(max(0, status.sizeBytes))
        let source = ByteSource(file: file, byteCount: size, mode: options.readMode)
        var finder = ManifestFinder(source)
        let snapshot = SnapshotCore(source: source, manifest: try finder.newestOrFailure())
        var core = StoreWriterCore(
            lock: lock, location: location, options: options, file: file, snapshot: snapshot, nameSite: nameSite,
            isNameDurable: isNameDurable)
        try core.writeUnsyncedAgain()
        try core.republishIfHidden()
        return core
    }

    /// The lock and the file of an existing store, for hosts that are not the real one.
    package static func open(
        host: H, registry: LockRegistry, path: FilePath, options: WriterOptions
    ) throws(StoreError) -> StoreWriterCore<H> {
        let location = try StoreLocation(host: host, path: path)
        _ = try location.status()
        let lock = try Self.acquire(host, registry, path, options)
        return try open(location, under: lock, options: options)
    }

    /// A new store, for hosts that are not the real one.
    package static func create(
        host: H, registry: LockRegistry, path: FilePath, dimension: Int, metric: Metric, options: WriterOptions
    ) throws(StoreError) -> StoreWriterCore<H> {
        let creation = try StoreCreation(host: host, path: path, dimension: dimension, metric: metric, options: options)
        let lock = try Self.acquire(host, registry, path, options)
        try creation.run(lock)
        return try open(creation.location, under: lock, options: options, isNameDurable: true)
    }

    private static func site(of lock: HeldLock<H>) throws(StoreError) -> LockSite<H> {
        do throws(LockError) {
            return try lock.targetSite()
        } catch {
            throw StoreError.lock(error)
        }
    }

    private static func acquire(
        _ host: H, _ registry: LockRegistry, _ path: FilePath, _ options: WriterOptions
    ) throws(StoreError) -> HeldLock<H> {
        do throws(LockError) {
            return try HeldLock.acquire(host: host, registry: registry, protecting: path, options: options.lock)
        } catch {
            throw StoreError.lock(error)
        }
    }

    package var isInDoubt: Bool { doubt != nil }

    /// Makes durable what the store holds: commits that were made without a sync, and what this writer found.
    package mutating func sync() throws(StoreError) {
        guard unsynced == nil else {
            return try commit(ResolvedTransaction(), deleting: [], merging: false, .ordered)
        }
        if hasSynced { return }
        // Whoever made the newest commit that was found may have been killed before its last sync, or have been told that it
        // failed: of what that was to write only the header may be missing on the medium, and no later sync would write it.
        // So it is written once more, as it stands.
        try validateLock()
        let source = ByteSource(file: file, byteCount: try validateFile(), mode: .positional)
        let header = try source.read(at: snapshot.manifest.offset, count: SegmentHeader.byteCount)
        try file.writing.write(header, at: snapshot.manifest.offset)
        try syncOrGoBack()
    }

    /// Writes what nobody knows to be durable once more, each byte where it stands. A sync of whoever wrote it may have
    /// failed: what it was to write can still be read then, is not on the medium, and no later sync would write it.
    private mutating func writeUnsyncedAgain() throws(StoreError) {
        let manifest = snapshot.manifest
        guard let from = manifest.payload.mark?.unsyncedFrom else { return }
        try validateLock()
        let source = ByteSource(file: file, byteCount: fileByteCount, mode: .positional)
        var position = min(from, manifest.end)
        while position < manifest.end {
            let bytes = try source.read(at: position, count: Int(min(Self.rewriteByteCount, manifest.end - position)))
            try file.writing.write(bytes, at: position)
            position += UInt64(bytes.count)
        }
        try file.writing.syncData()
        // The system may have dropped what was checked before it was read again. An older commit is found then.
        var finder = ManifestFinder(source)
        if try finder.newestOrFailure().offset != manifest.offset {
            self = try Self.open(
                location, under: lock, options: options, nameSite: nameSite, isNameDurable: isNameDurable)
        }
    }

    /// Held in memory at a time.
    private static var rewriteByteCount: UInt64 { 1 << 20 }

    /// Nothing is lost where other readers do not find the manifest, but they could not open the file.
    private mutating func republishIfHidden() throws(StoreError) {
        let manifest = snapshot.manifest
        let isInReach = fileByteCount - manifest.offset <= CommitLimits.reachByteCount
        let isDurable = manifest.payload.mark?.unsyncedFrom == nil
        // They check no hash, so what was rejected here may be the truth to them. And what another writer left without
        // a sync is made durable here, so that this one knows what to go back to.
        if isInReach, manifest.rejected.isEmpty, isDurable { return }
        do throws(StoreError) {
            try commit(ResolvedTransaction(), deleting: [], merging: false, .ordered)
        } catch {
            // A directory that is too long for them stays readable here; the next commit says what to do.
            guard case .limit = error else { throw error }
        }
    }

    /// Throws unless the lock is still held.
    func validateLock() throws(StoreError) {
        do throws(LockError) {
            try lock.validate()
        } catch {
            switch error {
            case .lost, .handedOver: throw StoreError.lostLock(error)
            default: throw StoreError.lock(error)
            }
        }
    }
}
