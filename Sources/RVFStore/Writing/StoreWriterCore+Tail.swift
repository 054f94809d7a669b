import RVFHost

extension StoreWriterCore {
    /// No writer's segment is longer (other readers refuse longer ones), so no header that a writer began says more.
    private static var longestSegmentByteCount: UInt64 { 256 << 20 }

    /// Where a commit can begin: at the end of the file, or behind what a segment that was cut short there would have
    /// taken.
    ///
    /// Of such a segment, where its header was cut before the hash was whole, nobody can tell that it is not whole
    /// itself: once something else begins, or the file ends, where it says that it ends, it reaches over all that was
    /// written in between, and readers would believe nothing in there. So nothing is written in there.
    ///
    /// - Parameter end: where the file ends.
    func startBehindTail(_ end: UInt64) throws(StoreError) -> UInt64 {
        var position = snapshot.manifest.end
        // As a rule nothing stands behind the manifest.
        if position == end { return end }
        let source = ByteSource(file: file, byteCount: end, mode: .positional)
        var examination = Examination(source)
        while position < end {
            if let header = try headerOrItsBeginning(at: position, in: source) {
                guard let segmentEnd = header.end(at: position) else { return end }
                if segmentEnd <= end {
                    position = segmentEnd
                    continue
                }
                let isCheckable = header.hash.expectedChecksum != nil
                let isPossible = header.payloadByteCount <= Self.longestSegmentByteCount
                return isCheckable || !isPossible ? end : segmentEnd
            }
            let next = try examination.endOfZeros(from: position, limit: end)
            // Readers do not look for segments behind bytes that are none.
            if next == position { return end }
            position = next
        }
        return end
    }

    /// A header that the end of the file cuts short is read as it will be when zeros stand behind it.
    private func headerOrItsBeginning(
        at offset: UInt64, in source: ByteSource<H>
    ) throws(StoreError) -> SegmentHeader? {
        let count = min(SegmentHeader.byteCount, Int(clamping: source.byteCount - offset))
        var bytes = try source.read(at: offset, count: count)
        bytes += [UInt8](repeating: 0, count: SegmentHeader.byteCount - count)
        return SegmentHeader(bytes.bytes)
    }

    /// Throws unless a reader that opens the file now believes this manifest. Asked where the commit does not stand right
    /// behind the one before: then what lies between has a part in it.
    func confirmVisible(_ manifest: SealedManifest, writtenFrom start: UInt64) throws(StoreError) {
        guard start != snapshot.manifest.end else { return }
        let source = ByteSource(file: file, byteCount: manifest.endOffset, mode: .positional)
        var finder = ManifestFinder(source)
        guard try finder.newest()?.offset == manifest.offset else { throw StoreError.limit(file.path, .layout) }
    }
}
