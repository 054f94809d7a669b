import RVFHost
import RVFLock
import SystemPackage

/// The creation of a store: complete and durable before its name appears, so that an interrupted one leaves nothing.
struct StoreCreation<H: Host>: Sendable {
    let location: StoreLocation<H>
    private let dimension: UInt16
    private let metric: Metric
    private let options: WriterOptions

    /// Refuses what cannot be, and what exists already, before a lock is taken for it.
    init(host: H, path: FilePath, dimension: Int, metric: Metric, options: WriterOptions) throws(StoreError) {
        guard dimension > 0, let dimension = UInt16(exactly: dimension) else {
            throw StoreError.limit(path, .dimension(dimension))
        }
        self.dimension = dimension
        self.metric = metric
        self.options = options
        location = try StoreLocation(host: host, path: path)
        _ = try fileInTheWay()
    }

    /// Makes the file, under a lock that was taken before there was one.
    ///
    /// - Returns: where what was in the way is now; nil where nothing was.
    @discardableResult
    func run(_ lock: HeldLock<H>) throws(StoreError) -> FilePath? {
        let old = lock.hasProtectedFile ? try fileInTheWay() : nil
        let draft: ProtectedFileDraft<H>
        do throws(LockError) {
            draft = try lock.draftProtectedFile(permissions: options.permissions, mayReplace: false)
        } catch {
            throw StoreError.lock(error)
        }
        try write(to: draft.descriptor)
        // Last, so that little can fail between this and the new store's name.
        let aside = try old.map { (old) throws(StoreError) in try DamagedFile(old, location).moveAside(lock) }
        do throws(LockError) {
            try lock.publish(draft)
        } catch {
            if let aside { throw StoreError.notCreated(location.path, movedTo: aside, error) }
            // Somebody who asked for no lock was faster.
            if case .protectedFileExists = error { throw StoreError.exists(location.path, ExistingFile(at: location)) }
            throw StoreError.lock(error)
        }
        return aside
    }

    /// One manifest that names nothing, at the beginning: the smallest store there is.
    private func write(to descriptor: FileDescriptor) throws(StoreError) {
        let payload = ManifestPayload(
            epoch: 0, dimension: dimension, totalVectorCount: 0, metric: metric, directory: [], deletedIDs: [],
            identity: StoreIdentity(fileID: location.host.randomFileID())
        ).encoded
        let header = SegmentHeader(
            type: .manifest, id: 1, payloadByteCount: UInt64(payload.count),
            hash: ContentHash(checksum: CRC32.of(payload.bytes)))
        let file = BorrowedFile(host: location.host, descriptor: descriptor, path: location.path)
        try file.write(header.encoded + payload, at: 0)
        try file.syncData()
    }

    /// Nil where nothing has the name. Throws for what is to stay.
    private func fileInTheWay() throws(StoreError) -> OpenFile<H>? {
        do throws(StoreError) {
            _ = try location.status()
        } catch {
            if case .system(_, _, .noSuchFileOrDirectory) = error { return nil }
            throw error
        }
        guard options.replacesDamaged else { throw StoreError.exists(location.path, ExistingFile(at: location)) }
        let file: OpenFile<H>
        do throws(StoreError) {
            file = try location.open(.readOnly)
        } catch {
            throw StoreError.exists(location.path, ExistingFile(at: location))
        }
        let found = ExistingFile(in: file)
        guard found.isReplaceable else { throw StoreError.exists(location.path, found) }
        return file
    }
}
