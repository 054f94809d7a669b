/// Looks at the rows of one vector segment as its payload passes by, in pieces of any size.
struct RowCheck {
    struct Problem {
        var offset: UInt64
        var what: String
        /// Whether rows cannot be read for it.
        var isDamage = false
    }

    private let payloadOffset: UInt64
    private let payloadByteCount: UInt64
    private let dimension: UInt16?
    private var head: [UInt8] = []
    private var layout: VectorPayload?
    private var position = 0
    /// Bytes of a float that the piece before cut off.
    private var pending: [UInt8] = []
    private var problems: [Problem] = []
    private var badRowCount = 0
    private var lastBadRow = -1

    /// How many rows of a segment are told about one by one.
    private static var rowLimit: Int { 100 }

    /// Nil for what holds no rows.
    init?(_ header: SegmentHeader, at offset: UInt64, dimension: UInt16?) {
        guard header.type == .vectors, header.version == SegmentHeader.currentVersion, header.compression == 0 else {
            return nil
        }
        payloadOffset = offset + UInt64(SegmentHeader.byteCount)
        payloadByteCount = header.payloadByteCount
        self.dimension = dimension
    }

    mutating func update(_ bytes: RawSpan) {
        var start = 0
        if head.count < VectorPayload.headerByteCount {
            start = min(VectorPayload.headerByteCount - head.count, bytes.byteCount)
            head += bytes.copy(0..<start)
            position += start
            if head.count == VectorPayload.headerByteCount { readHead() }
        }
        guard let layout else { return }
        let end = min(bytes.byteCount, start + max(0, layout.byteCount - position))
        let stride = layout.strideBytes
        // A row begins with an id of two words; every word is either half an id or a component.
        while start < end, !pending.isEmpty || start + 4 > end {
            pending.append(bytes.integer(UInt8.self, at: start))
            start += 1
            position += 1
            guard pending.count == 4 else { continue }
            check(pending.bytes.float(at: 0), endingAt: position, stride)
            pending.removeAll(keepingCapacity: true)
        }
        while start + 4 <= end {
            position += 4
            check(bytes.float(at: start), endingAt: position, stride)
            start += 4
        }
        while start < end {
            pending.append(bytes.integer(UInt8.self, at: start))
            start += 1
            position += 1
        }
    }

    @inline(__always)
    private mutating func check(_ component: Float, endingAt end: Int, _ stride: Int) {
        guard !component.isFinite else { return }
        let inRows = end - 4 - VectorPayload.headerByteCount
        guard inRows % stride >= VectorPayload.idByteCount else { return }
        let row = inRows / stride
        guard row != lastBadRow else { return }
        lastBadRow = row
        badRowCount += 1
        guard badRowCount <= Self.rowLimit else { return }
        problems.append(
            Problem(
                offset: payloadOffset + UInt64(end - 4),
                what: "a component of row \(row) of the segment is no finite number"))
    }

    private mutating func readHead() {
        do throws(FormatError) {
            let layout = try VectorPayload(head: head.bytes, payloadByteCount: Int(clamping: payloadByteCount))
            self.layout = layout
            if let dimension, layout.dimension != Int(dimension) {
                add(0, "its rows have dimension \(layout.dimension), those of the store \(dimension)", isDamage: true)
            }
            if UInt64(layout.byteCount) < payloadByteCount {
                add(UInt64(layout.byteCount), "bytes follow the segment's last row")
            }
        } catch {
            add(UInt64(error.offset), "the vector segment is malformed: \(error.what)", isDamage: true)
        }
    }

    private mutating func add(_ offset: UInt64, _ what: String, isDamage: Bool = false) {
        problems.append(Problem(offset: payloadOffset + offset, what: what, isDamage: isDamage))
    }

    /// What was found, once the payload is over.
    mutating func finish() -> [Problem] {
        if head.count < VectorPayload.headerByteCount {
            add(0, "the vector segment is too short for its head", isDamage: true)
        }
        if badRowCount > Self.rowLimit {
            add(0, "\(badRowCount) rows of the segment have components that are no finite numbers; not all are listed")
        }
        return problems
    }
}
