import RVFHost
public import SystemPackage

/// What a backup holds.
public struct BackupReport: Equatable, Sendable {
    /// Bytes of the copy.
    public var byteCount: UInt64
    /// The commit that it opens at.
    public var epoch: UInt32
}

extension StoreReader {
    /// Copies the state that the reader is at to a new file. See ``Snapshot/backup(to:options:)``.
    @discardableResult
    public func backup(to path: FilePath, options: WorkOptions = WorkOptions()) throws(StoreError) -> BackupReport {
        try snapshot().backup(to: path, options: options)
    }
}

extension Snapshot {
    /// Copies this state to a new file, byte for byte, beside any writer and without a lock.
    ///
    /// The copy opens at this commit. It holds everything that stands before its manifest, what no manifest names
    /// included, and behind it what other writers left there whole, such as witnesses. It is complete and durable
    /// before its name appears, and has the mode and attributes of the store. Nothing is checked: a damaged store gives
    /// a copy that is as damaged (see ``StoreVerification``).
    ///
    /// - Throws: ``StoreError/exists(_:_:)`` where something has that name,
    ///   ``StoreError/noSpace(_:neededByteCount:availableByteCount:)``, ``StoreError/cancelled(_:)``, or what the
    ///   system says. Nothing is left behind.
    @discardableResult
    public func backup(to path: FilePath, options: WorkOptions = WorkOptions()) throws(StoreError) -> BackupReport {
        try core.backup(to: path, options: options)
    }
}

extension SnapshotCore {
    package func backup(to path: FilePath, options: WorkOptions) throws(StoreError) -> BackupReport {
        let reading = ByteSource(file: source.file, byteCount: source.byteCount, mode: .positional)
        let end = try endOfWhole(in: reading)
        let host = source.file.host
        let new = try NewFile(host: host, path: path)
        let file = new.writing
        try file.requireSpace(end)
        var pace = WorkPace(host: host, path: path, options: options, totalByteCount: 2 * end)
        var stream = CopyStream(file)
        while stream.position < end {
            let count = Int(min(UInt64(ByteSource<H>.windowByteCount), end - stream.position))
            try reading.withBytes(at: stream.position, count: count) { (bytes) throws(StoreError) in
                try stream.append(bytes)
            }
            try pace.advance(2 * count)
        }
        try stream.finish()
        let copy = OpenFile(host: host, descriptor: new.descriptor, path: path, isOwner: false)
        var finder = ManifestFinder(ByteSource(file: copy, byteCount: end, mode: .positional))
        guard try finder.newest()?.offset == manifest.offset else {
            throw StoreError.damaged(
                source.file.path, offset: manifest.offset, what: "the manifest is not where it was when it was read")
        }
        try file.takeMetadata(of: source.file)
        try new.publish()
        return BackupReport(byteCount: end, epoch: manifest.payload.epoch)
    }

    /// Where the manifest ends, or what whole segments of other writers follow it, as far as readers that look at the
    /// last 64 KiB go on finding it.
    private func endOfWhole(in reading: ByteSource<H>) throws(StoreError) -> UInt64 {
        var end = manifest.end
        var walk = FileWalk(reading, manifest: manifest)
        walk.skip(to: manifest.end)
        while let piece = try walk.next() {
            switch piece {
            case .zeros: continue
            case .stray, .damagedHeader: return end
            case .segment(let header, let offset, _):
                // Metadata behind the manifest is of a commit that was not finished.
                guard try reading.isForeign(header, at: offset), header.type != .metadata,
                    let expected = header.hash.expectedChecksum,
                    let segmentEnd = header.end(at: offset),
                    segmentEnd - manifest.offset <= CommitLimits.reachByteCount,
                    try reading.checksum(
                        at: offset + UInt64(SegmentHeader.byteCount), count: header.payloadByteCount) == expected
                else { return end }
                end = segmentEnd
            }
        }
        return end
    }
}

extension BorrowedFile {
    /// Throws unless the file system has room for this many bytes.
    func requireSpace(_ needed: UInt64) throws(StoreError) {
        let available: UInt64
        do throws(Errno) {
            available = try host.availableBytes(on: descriptor)
        } catch {
            throw StoreError.system(.findSpace, path, error)
        }
        guard available >= needed else {
            throw StoreError.noSpace(path, neededByteCount: needed, availableByteCount: available)
        }
    }
}
