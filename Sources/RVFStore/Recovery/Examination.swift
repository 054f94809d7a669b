package import RVFHost

/// What looking for a manifest has cost and learnt so far.
///
/// The cost is bounded, since a hostile payload may hold millions of bytes that look like manifests, each of which
/// asks for a checksum over the rest of the file.
package struct Examination<H: Host>: Sendable {
    private let source: ByteSource<H>
    private var remainingBytes: UInt64
    /// Checksums of payloads that cover more than they should, by the offset of their header.
    private var checksums: [UInt64: UInt32] = [:]

    /// How many checksums are remembered; each stands for a damaged or foreign tail, of which there are few.
    private static var rememberedLimit: Int { 1024 }

    package init(_ source: ByteSource<H>) {
        self.source = source
        // A file of honest writers is examined less than twice: four times, and a margin for small files, is plenty.
        let (fourfold, overflow) = source.byteCount.multipliedReportingOverflow(by: 4)
        let (total, carried) = fourfold.addingReportingOverflow(1 << 26)
        remainingBytes = overflow || carried ? .max : total
    }

    /// Accounts for bytes that are about to be looked at.
    package mutating func spend(_ byteCount: UInt64) throws(StoreError) {
        guard byteCount <= remainingBytes else { throw StoreError.limit(source.file.path, .lookalikes) }
        remainingBytes -= byteCount
    }

    /// The header at an offset; nil where none can stand there or the magic is missing.
    package mutating func header(at offset: UInt64) throws(StoreError) -> SegmentHeader? {
        try spend(UInt64(SegmentHeader.byteCount))
        return try source.header(at: offset)
    }

    /// Where a segment ends that is whole: it ends within the file and its hash is right. Where no hash can be checked
    /// it must end where another segment begins, or at the end of the file: a header that was cut short in the middle
    /// of its hash, with something else written behind, has no such end but by chance.
    package mutating func wholeEnd(of header: SegmentHeader, at offset: UInt64) throws(StoreError) -> UInt64? {
        guard let end = header.end(at: offset), end <= source.byteCount else { return nil }
        guard header.hash.expectedChecksum != nil else {
            let alignment = UInt64(SegmentHeader.byteCount)
            let next = try endOfZeros(from: end, limit: min(source.byteCount, end + alignment - 1))
            if next == source.byteCount { return end }
            return try self.header(at: next) == nil ? nil : end
        }
        let checksum = try checksum(of: header, at: offset)
        return header.hash.verdict(onChecksum: checksum) == .differs ? nil : end
    }

    private mutating func checksum(of header: SegmentHeader, at offset: UInt64) throws(StoreError) -> UInt32 {
        if let known = checksums[offset] { return known }
        try spend(header.payloadByteCount)
        let payload = offset + UInt64(SegmentHeader.byteCount)
        let checksum = try source.checksum(at: payload, count: header.payloadByteCount)
        if checksums.count < Self.rememberedLimit { checksums[offset] = checksum }
        return checksum
    }

    /// Where the first byte stands that is not zero, or the limit.
    package mutating func endOfZeros(from start: UInt64, limit: UInt64) throws(StoreError) -> UInt64 {
        var position = start
        // Padding to the next multiple of 64 is the usual case; longer runs are read in larger pieces.
        var window: UInt64 = 64
        while position < limit {
            let count = Int(min(limit - position, window))
            window = UInt64(ByteSource<H>.windowByteCount)
            try spend(UInt64(count))
            let zeros = try source.withBytes(at: position, count: count) { (bytes) throws(StoreError) in
                (0..<count).first { bytes.integer(UInt8.self, at: $0) != 0 } ?? count
            }
            position += UInt64(zeros)
            if zeros < count { break }
        }
        return position
    }
}
