import RVFHost
import RVFStore
import SystemPackage

/// Goes through a file from its beginning, segment by segment, whatever any manifest says.
struct SegmentWalk {
    enum Finding {
        case segment(SegmentHeader, offset: UInt64)
        /// A header whose payload would go beyond the end of the file.
        case cutOff(SegmentHeader, offset: UInt64)
        /// Bytes where no segment begins.
        case unknown(offset: UInt64, byteCount: UInt64)
    }

    private let source: ByteSource<POSIXHost>
    /// Where segments are known to begin: the walk goes on there after bytes that it does not understand.
    private let landmarks: [UInt64]
    private var position: UInt64 = 0

    /// - Parameter landmarks: rising.
    init(_ source: ByteSource<POSIXHost>, landmarks: [UInt64]) {
        self.source = source
        self.landmarks = landmarks
    }

    /// Nil at the end of the file. Zeros between segments are padding, and are passed.
    mutating func next() throws(StoreError) -> Finding? {
        while position < source.byteCount {
            if let header = try source.header(at: position) { return found(header) }
            let start = position
            position = try endOfZeros(from: position)
            // Zeros that lead to the next segment, or to the end.
            if position == source.byteCount { return nil }
            if try source.header(at: position) != nil { continue }
            position = landmarks.first { $0 > start } ?? source.byteCount
            return .unknown(offset: start, byteCount: position - start)
        }
        return nil
    }

    private mutating func found(_ header: SegmentHeader) -> Finding {
        let offset = position
        guard let end = header.end(at: offset), end <= source.byteCount else {
            position = landmarks.first { $0 > offset } ?? source.byteCount
            return .cutOff(header, offset: offset)
        }
        position = end
        return .segment(header, offset: offset)
    }

    private func endOfZeros(from start: UInt64) throws(StoreError) -> UInt64 {
        var position = start
        while position < source.byteCount {
            let count = Int(min(source.byteCount - position, 1 << 16))
            let bytes = try source.read(at: position, count: count)
            if let index = bytes.firstIndex(where: { $0 != 0 }) { return position + UInt64(index) }
            position += UInt64(count)
        }
        return position
    }

    /// Where the run of whole segments from the beginning of a file ends; nil where the file does not begin like a
    /// store at all.
    static func endOfWholeSegments(of path: FilePath) -> UInt64? {
        do throws(StoreError) {
            let file = try StoreLocation(host: POSIXHost(), path: path).open(.readOnly)
            let size = UInt64(max(0, try file.status().sizeBytes))
            let source = ByteSource(file: file, byteCount: size, mode: .positional)
            guard try source.header(at: 0) != nil else { return nil }
            var walk = SegmentWalk(source, landmarks: [])
            var end: UInt64 = 0
            while case .segment(let header, let offset) = try walk.next() { end = header.end(at: offset) ?? offset }
            return end
        } catch {
            return nil
        }
    }
}
