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
        try refuseExisting()
    }

    /// Makes the file, under a lock that was taken before there was one.
    func run(_ lock: HeldLock<H>) throws(StoreError) {
        if lock.hasProtectedFile { try refuseExisting() }
        let draft: ProtectedFileDraft<H>
        do throws(LockError) {
            draft = try lock.draftProtectedFile(permissions: options.permissions)
        } catch {
            throw StoreError.lock(error)
        }
        try write(to: draft.descriptor)
        do throws(LockError) {
            try lock.publish(draft)
        } catch {
            // Somebody who asked for no lock was faster.
            if case .protectedFileExists = error { try refuseExisting() }
            throw StoreError.lock(error)
        }
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

    private func refuseExisting() throws(StoreError) {
        do throws(StoreError) {
            _ = try location.status()
        } catch {
            if case .system(_, _, .noSuchFileOrDirectory) = error { return }
            throw error
        }
        throw StoreError.exists(location.path, existingFile())
    }

    private func existingFile() -> ExistingFile {
        do throws(StoreError) {
            let file = try location.open(.readOnly)
            let size = UInt64(max(0, try file.status().sizeBytes))
            var finder = ManifestFinder(ByteSource(file: file, byteCount: size, mode: .positional))
            _ = try finder.newestOrFailure()
            return .store
        } catch {
            switch error {
            case .notAStore(_, .empty): return .emptyFile
            case .notAStore(_, let what): return .somethingElse(what)
            case .system(_, _, let errno): return .unreadable(errno)
            default: return .somethingElse(.noManifest(nearest: nil))
            }
        }
    }
}
