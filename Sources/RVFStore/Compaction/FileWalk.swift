package import RVFHost

/// A stretch of a store file.
package enum FilePiece: Equatable, Sendable {
    /// A segment. A named one is as its manifest says; its payload has not been looked at.
    case segment(SegmentHeader, at: UInt64, isNamed: Bool)
    /// A named segment whose header is not as the manifest says.
    case damagedHeader(DirectoryEntry)
    /// Zeros between segments, or at the end.
    case zeros(Range<UInt64>)
    /// Bytes that belong to nothing: what an interrupted commit or damage left.
    case stray(Range<UInt64>)
}

/// Takes a file apart from its beginning to its end, by the rules by which a manifest's place is judged. What lies
/// inside a segment stays inside, also where it looks like segments.
///
/// Behind bytes that belong to nothing the walk goes on at the next segment whose hash is right, or that is named.
/// Memory does not grow with the file, only with the manifest.
package struct FileWalk<H: Host>: Sendable {
    private let source: ByteSource<H>
    /// What the manifest names, itself among them, by rising offset.
    private let named: [DirectoryEntry]
    private var index = 0
    private var position: UInt64 = 0
    private var examination: Examination<H>
    /// Whether so many bytes looked like segments that some were not examined.
    package private(set) var gaveUp = false

    private static var windowByteCount: UInt64 { 1 << 20 }

    /// - Parameter manifest: the manifest that is believed; nil where there is none.
    package init(_ source: ByteSource<H>, manifest: FoundManifest?) {
        self.init(source, named: manifest?.allEntries ?? [])
    }

    package init(_ source: ByteSource<H>, named: [DirectoryEntry]) {
        self.source = source
        self.named = Set(named).sorted { $0.offset < $1.offset }
        examination = Examination(source)
    }

    /// Goes on at a place that is known to lie between two segments, behind where the walk is.
    package mutating func skip(to offset: UInt64) {
        position = max(position, offset)
    }

    /// The next stretch; nil at the end of the file.
    package mutating func next() throws(StoreError) -> FilePiece? {
        // One that lies inside another is passed over.
        while index < named.count, named[index].offset < position { index += 1 }
        guard position < source.byteCount else { return nil }
        let limit = index < named.count ? named[index].offset : source.byteCount
        if position == limit { return try nextNamed() }
        let start = position
        do throws(StoreError) {
            return try piece(from: start, limit: limit)
        } catch {
            guard case .limit(_, .lookalikes) = error else { throw error }
            gaveUp = true
            position = limit
            return .stray(start..<limit)
        }
    }

    private mutating func nextNamed() throws(StoreError) -> FilePiece {
        let entry = named[index]
        let start = position
        position = min(entry.end ?? source.byteCount, source.byteCount)
        index += 1
        guard let header = try source.header(at: start), entry.matches(header), header.end(at: start) == position
        else { return .damagedHeader(entry) }
        return .segment(header, at: start, isNamed: true)
    }

    private mutating func piece(from start: UInt64, limit: UInt64) throws(StoreError) -> FilePiece {
        if let header = try examination.header(at: start) {
            if let end = header.end(at: start), end <= limit, try isEnd(end, of: header, at: start, limit: limit) {
                position = end
                return .segment(header, at: start, isNamed: false)
            }
            return try stray(from: start, searchingFrom: start + 1, limit: limit)
        }
        let zeros = try examination.endOfZeros(from: start, limit: limit)
        if zeros == limit { return pass(start..<zeros) }
        if zeros > start, try examination.header(at: zeros) != nil { return pass(start..<zeros) }
        return try stray(from: start, searchingFrom: max(zeros, start + 1), limit: limit)
    }

    private mutating func pass(_ zeros: Range<UInt64>) -> FilePiece {
        position = zeros.upperBound
        return .zeros(zeros)
    }

    /// Whether a segment's length can be trusted: another one follows it, or its payload is what its hash says.
    private mutating func isEnd(
        _ end: UInt64, of header: SegmentHeader, at start: UInt64, limit: UInt64
    ) throws(StoreError) -> Bool {
        let next = try examination.endOfZeros(from: end, limit: limit)
        if next == limit { return true }
        if try examination.header(at: next) != nil { return true }
        return header.hash.expectedChecksum != nil ? try examination.wholeEnd(of: header, at: start) != nil : false
    }

    /// Searches for the next segment whose hash is right.
    private mutating func stray(
        from start: UInt64, searchingFrom first: UInt64, limit: UInt64
    ) throws(StoreError) -> FilePiece {
        var window = first
        while window < limit {
            let count = min(limit - window, Self.windowByteCount)
            // A magic whose first byte is the window's last one is found too.
            let readable = min(count + 3, source.byteCount - window)
            try examination.spend(readable)
            let places = try source.withBytes(at: window, count: Int(readable)) { (bytes) throws(StoreError) in
                Self.magics(in: bytes).map { window + UInt64($0) }
            }
            for place in places where place < window + count {
                if try isWhole(at: place, limit: limit) {
                    position = place
                    return .stray(start..<place)
                }
            }
            window += count
        }
        position = limit
        return .stray(start..<limit)
    }

    private mutating func isWhole(at offset: UInt64, limit: UInt64) throws(StoreError) -> Bool {
        guard let header = try examination.header(at: offset), header.hash.expectedChecksum != nil,
            let end = header.end(at: offset), end <= limit
        else { return false }
        return try examination.wholeEnd(of: header, at: offset) != nil
    }

    private static func magics(in bytes: RawSpan) -> [Int] {
        guard bytes.byteCount >= 4 else { return [] }
        return (0...(bytes.byteCount - 4)).filter { bytes.integer(UInt32.self, at: $0) == SegmentHeader.magic }
    }
}

extension FoundManifest {
    /// What the manifest names, and itself.
    var allEntries: [DirectoryEntry] { payload.directory + [DirectoryEntry(header, at: offset)] }
}
