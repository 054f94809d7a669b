package import RVFHost

/// Walks from the end of a file towards its beginning and stops wherever the header of a manifest may stand: at the
/// magic followed, at its place, by the manifest's type. Uses one window of memory however long the file is.
package struct ManifestScan<H: Host>: Sendable {
    private let source: ByteSource<H>
    /// Candidates lie at or after this offset.
    private let lowerBound: UInt64
    /// Everything from here on has been searched.
    private var searchedFrom: UInt64
    /// Candidates of the window searched last, rising.
    private var pending: [UInt64] = []
    private var windowByteCount = ManifestScan.firstWindowByteCount

    /// Where the newest manifest usually stands: as far from the end as other readers look for it.
    private static var firstWindowByteCount: UInt64 { 1 << 16 }
    private static var laterWindowByteCount: UInt64 { 1 << 20 }

    package init(_ source: ByteSource<H>, from lowerBound: UInt64 = 0) {
        self.source = source
        self.lowerBound = lowerBound
        let header = UInt64(SegmentHeader.byteCount)
        // One beyond the last offset at which a header fits into the file.
        searchedFrom = source.byteCount >= header ? source.byteCount - header + 1 : 0
    }

    /// The next candidate towards the beginning.
    package mutating func next() throws(StoreError) -> UInt64? {
        while pending.isEmpty {
            guard searchedFrom > lowerBound else { return nil }
            let start = searchedFrom - min(windowByteCount, searchedFrom - lowerBound)
            // A header whose first byte is the window's last one is looked at beyond the window's end.
            let count = Int(searchedFrom - start) + ManifestSignature.byteCount - 1
            pending = try source.withBytes(at: start, count: count) { (bytes) throws(StoreError) in
                ManifestSignature.candidates(in: bytes).map { start + UInt64($0) }
            }
            searchedFrom = start
            windowByteCount = Self.laterWindowByteCount
        }
        return pending.removeLast()
    }

    /// Leaves out everything from an offset on.
    package mutating func skip(from offset: UInt64) {
        searchedFrom = min(searchedFrom, max(offset, lowerBound))
        pending.removeAll { $0 >= offset }
    }
}
