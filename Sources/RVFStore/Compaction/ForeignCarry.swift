import RVFHost

/// The segments of a file that other writers put there, named or not, to be carried over byte for byte.
///
/// Checkpoints that this package wrote are written anew, and not carried.
///
/// One that is not named is carried where its hash is right or cannot be checked; what lies inside a payload stays
/// there. Nothing is remembered of those that are not named, so that their number costs no memory.
struct ForeignCarry<H: Host> {
    let source: ByteSource<H>
    /// The segments that are named, in the order of their manifest.
    let directory: [DirectoryEntry]
    /// The manifest that is believed; nil where there is none.
    let manifest: FoundManifest?
    /// Told of named segments that are damaged, which are then left out. Nil: they are thrown as an error.
    var onDamage: ((StoreError) -> Void)?
    /// Whether metadata is left out, since the new file has all of it that counts in a segment of its own. What is not
    /// named is superseded or was never committed, and must not be carried to where a peer's compaction names whatever it
    /// finds; and in a file that names what is damaged, no metadata can be written. What certainly is another writer's
    /// is carried.
    var leavesOutMetadata = false

    struct Size {
        /// Headers, payloads and padding.
        var byteCount: UInt64 = 0
        /// Without this package's own.
        var count = 0
        var namedCount = 0
        /// Of those that are not named.
        var unnamedByteCount: UInt64 = 0
    }

    /// Looks at all of them: their hashes are checked before anything is written.
    func survey() throws(StoreError) -> Size {
        var size = Size()
        try forEach { (header, offset, isNamed) throws(StoreError) in
            let byteCount = header.payloadByteCount + UInt64(2 * SegmentHeader.byteCount)
            size.byteCount += byteCount
            // The metric is carried like what others wrote, and nobody else's all the same.
            if try !source.beginsAsOwn(header, at: offset) { size.count += 1 }
            if isNamed { size.namedCount += 1 } else { size.unnamedByteCount += byteCount }
        }
        return size
    }

    /// Appends all of them.
    ///
    /// - Returns: where the named ones stand now.
    func copy(
        into stream: inout CopyStream<H>, _ pace: inout WorkPace<H>
    ) throws(StoreError) -> [DirectoryEntry: UInt64] {
        var places: [DirectoryEntry: UInt64] = [:]
        try forEach { (header, offset, isNamed) throws(StoreError) in
            try stream.align()
            if isNamed { places[DirectoryEntry(header, at: offset)] = stream.position }
            var position = offset
            let end = header.end(at: offset) ?? offset
            while position < end {
                let count = Int(min(UInt64(ByteSource<H>.windowByteCount), end - position))
                try source.withBytes(at: position, count: count) { (bytes) throws(StoreError) in
                    try stream.append(bytes)
                }
                try pace.advance(2 * count)
                position += UInt64(count)
            }
        }
        return places
    }

    private func forEach(
        _ body: (SegmentHeader, _ offset: UInt64, _ isNamed: Bool) throws(StoreError) -> Void
    ) throws(StoreError) {
        let own = manifest.map { [DirectoryEntry($0.header, at: $0.offset)] } ?? []
        var walk = FileWalk(source, named: directory + own)
        var missing: Set<DirectoryEntry> = []
        for entry in directory where !entry.type.isRewritten {
            if try !source.isOwnSideSegment(entry) { missing.insert(entry) }
        }
        while let piece = try walk.next() {
            switch piece {
            case .zeros, .stray: break
            case .damagedHeader(let entry):
                guard missing.remove(entry) != nil else { break }
                try report(
                    entry.offset, "the header of the \(entry.type) segment that the manifest names here is damaged")
            case .segment(let header, let offset, let isNamed):
                missing.remove(DirectoryEntry(header, at: offset))
                guard try source.isForeign(header, at: offset),
                    try source.checkpointHead(of: DirectoryEntry(header, at: offset)) == nil
                else { break }
                if leavesOutMetadata, try isOwnMetadata(header, at: offset, isNamed: isNamed) { break }
                let isRight = try hashIsRight(header, at: offset)
                if isRight {
                    try body(header, offset, isNamed)
                } else if isNamed {
                    try report(offset, "the \(header.type) segment here does not have the hash that its header gives")
                }
            }
        }
        if walk.gaveUp, onDamage == nil { throw StoreError.limit(source.file.path, .lookalikes) }
        for entry in missing.sorted(by: { $0.offset < $1.offset }) {
            try report(entry.offset, "the \(entry.type) segment that the manifest names here lies inside another one")
        }
    }

    private func hashIsRight(_ header: SegmentHeader, at offset: UInt64) throws(StoreError) -> Bool {
        guard header.hash.expectedChecksum != nil else { return true }
        let checksum = try source.checksum(
            at: offset + UInt64(SegmentHeader.byteCount), count: header.payloadByteCount)
        return header.hash.verdict(onChecksum: checksum) != .differs
    }

    /// Whether readers take a segment for metadata that is decoded here, whole or damaged. Where one that is named begins
    /// otherwise, only its hash can tell that it was written so.
    private func isOwnMetadata(
        _ header: SegmentHeader, at offset: UInt64, isNamed: Bool
    ) throws(StoreError) -> Bool {
        guard header.type == .metadata, header.version == SegmentHeader.currentVersion else { return false }
        if isNamed, header.hash.expectedChecksum == nil { return true }
        let count = min(header.payloadByteCount, UInt64(MetadataFormat.headerByteCount))
        return try source.withBytes(at: offset + UInt64(SegmentHeader.byteCount), count: Int(count)) {
            (head) throws(StoreError) in MetadataHeader.isOfVersion1(head)
        }
    }

    private func report(_ offset: UInt64, _ what: String) throws(StoreError) {
        let damage = StoreError.damaged(source.file.path, offset: offset, what: what)
        guard let onDamage else { throw damage }
        onDamage(damage)
    }
}

extension SegmentType {
    /// Whether a rewritten store has its own segments of this type instead of the old ones.
    var isRewritten: Bool { self == .vectors || self == .manifest || self == .journal }
}

extension DirectoryEntry {
    /// What a manifest calls a segment.
    init(_ header: SegmentHeader, at offset: UInt64) {
        self.init(
            id: header.id, offset: offset, payloadByteCount: header.payloadByteCount, type: header.type)
    }
}
