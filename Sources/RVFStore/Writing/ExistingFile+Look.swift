import RVFHost
import SystemPackage

extension ExistingFile {
    /// What has a name.
    init<H: Host>(at path: FilePath, _ host: H) {
        do throws(StoreError) {
            self.init(at: try StoreLocation(host: host, path: path))
        } catch {
            self.init(error)
        }
    }

    init<H: Host>(at location: StoreLocation<H>) {
        do throws(StoreError) {
            self.init(in: try location.open(.readOnly))
        } catch {
            self.init(error)
        }
    }

    /// What an open file is, by the bytes that it has now.
    init<H: Host>(in file: OpenFile<H>) {
        do throws(StoreError) {
            self = try Self.look(at: file)
        } catch {
            self.init(error)
        }
    }

    private init(_ error: StoreError) {
        switch error {
        case .notAStore(_, let what): self = .somethingElse(what)
        case .system(_, _, let errno): self = .unreadable(errno)
        // Among it what would take too long to be sure of.
        default: self = .somethingElse(.noManifest(nearest: nil))
        }
    }

    private static func look<H: Host>(at file: OpenFile<H>) throws(StoreError) -> ExistingFile {
        let size = UInt64(max(0, try file.status().sizeBytes))
        if size == 0 { return .emptyFile }
        let source = ByteSource(file: file, byteCount: size, mode: .positional)
        var finder = ManifestFinder(source)
        if try finder.newest() != nil { return .store }
        for rejected in finder.rejected where try isUncheckable(rejected, in: source) { return .otherStore(rejected) }
        let what = NotAStore.noManifest(nearest: finder.rejected.first)
        if try beginsLikeAStore(source) || finder.rejected.first != nil { return .brokenStore(what) }
        return try isZero(source) ? .zeros(byteCount: size) : .somethingElse(what)
    }

    /// Whether what looks like a manifest is whole, for all that can be said here: of a later version, or with a hash
    /// that another writer computes in its own way, or leaves out.
    private static func isUncheckable<H: Host>(
        _ rejected: RejectedManifest, in source: ByteSource<H>
    ) throws(StoreError) -> Bool {
        guard let header = try source.header(at: rejected.offset), let end = header.end(at: rejected.offset),
            end <= source.byteCount, header.payloadByteCount >= UInt64(ManifestPayload.smallestByteCount)
        else { return false }
        return header.version > SegmentHeader.currentVersion || header.hash.expectedChecksum == nil
    }

    /// The magic is enough: a create that was interrupted may have written no more.
    private static func beginsLikeAStore<H: Host>(_ source: ByteSource<H>) throws(StoreError) -> Bool {
        guard source.byteCount >= 4 else { return false }
        return try source.withBytes(at: 0, count: 4) { (bytes) throws(StoreError) in
            bytes.integer(UInt32.self, at: 0) == SegmentHeader.magic
        }
    }

    private static func isZero<H: Host>(_ source: ByteSource<H>) throws(StoreError) -> Bool {
        var position: UInt64 = 0
        while position < source.byteCount {
            let count = Int(min(UInt64(ByteSource<H>.windowByteCount), source.byteCount - position))
            if try source.read(at: position, count: count).contains(where: { $0 != 0 }) { return false }
            position += UInt64(count)
        }
        return true
    }
}
