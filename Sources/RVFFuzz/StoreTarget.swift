import RVFStore

extension FuzzTarget {
    static let storeTarget = FuzzTarget(
        "store", seeds: StoreSeeds.stores, greedy: GreedyStores.all, taking: StoreUse.everything
    ) { input in
        try StoreCheck.run(input)
        // As it would be with right hashes, which a search does not find.
        var finished = input
        setHashes(&finished)
        if finished != input { try StoreCheck.run(finished) }
    }

    /// Where a header stands, its payload gets the hash and the footer that it should have.
    private static func setHashes(_ file: inout [UInt8]) {
        var offset = 0
        while offset + SegmentHeader.byteCount <= file.count {
            guard var header = SegmentHeader(file.bytes.extracting(offset..<file.count)) else {
                offset += 1
                continue
            }
            let start = offset + SegmentHeader.byteCount
            let end = Int(clamping: UInt64(start).addingReportingOverflow(header.payloadByteCount).partialValue)
            guard start <= end, end <= file.count else {
                offset += 1
                continue
            }
            if header.type == .metadata, end - start >= MetadataFooter.byteCount {
                var body = Array(file[start..<(end - MetadataFooter.byteCount)])
                MetadataFooter.append(to: &body)
                file.replaceSubrange(start..<end, with: body)
            }
            header.hash = ContentHash(checksum: CRC32.of(file.bytes.extracting(start..<end)))
            file.replaceSubrange(offset..<start, with: header.encoded)
            offset = end
        }
    }
}
