import Crypto

/// What of a state's rows tells it from others: the vector segments in their order, and ids that are deleted.
struct RowState: Equatable, Sendable {
    /// A vector segment, whatever its id and its place.
    struct Segment: Hashable, Sendable {
        var payloadByteCount: UInt64
        var hash: ContentHash
    }

    var segments: [Segment]
    /// Rising.
    var deletedIDs: [UInt64]
}

/// The rows that a checkpoint belongs to. `spec/store-format.md` says why a checkpoint that agrees counts no event
/// whose rows are not there.
package struct CheckpointBinding: Equatable, Sendable {
    static let digestByteCount = 32

    /// How many vector segments the commit left.
    package var segmentCount: Int
    /// Over their lengths and hashes.
    var digest: [UInt8]
    /// Ids that the commit left deleted, and that were not so in the last durable one.
    var deletedIDs: [UInt64]

    init(segmentCount: Int, digest: [UInt8], deletedIDs: [UInt64]) {
        self.segmentCount = segmentCount
        self.digest = digest
        self.deletedIDs = deletedIDs
    }

    /// - Parameter deletedIDs: rising.
    init(_ segments: [RowState.Segment], deletedIDs: [UInt64]) {
        self.init(segmentCount: segments.count, digest: Self.digest(of: segments[...]), deletedIDs: deletedIDs)
    }

    /// Whether a state has these segments first, and these ids deleted: it is the commit's, or came after it.
    func agrees(with state: RowState) -> Bool {
        segmentCount <= state.segments.count && deletedIDs.allSatisfy { state.deletedIDs.positionInRising($0) != nil }
            && Self.digest(of: state.segments[..<segmentCount]) == digest
    }

    private static func digest(of segments: ArraySlice<RowState.Segment>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24 * segments.count)
        for segment in segments {
            bytes.append(littleEndian: segment.payloadByteCount)
            for word in 0..<4 { bytes.append(littleEndian: segment.hash.words[word]) }
        }
        return Array(SHA256.hash(data: bytes))
    }
}
