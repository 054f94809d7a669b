/// What a commit writes besides rows, and names, and what it stops naming in return.
struct StateChange: Sendable {
    /// A segment that is not of rows.
    struct Segment: Sendable {
        var type: SegmentType
        /// The payload is no longer than this.
        var byteCountLimit: Int
        /// Makes the payload, once the rows are written. It is given the vector segments that the commit leaves, in
        /// the order of the directory.
        var payload: @Sendable ([VectorSegment]) -> [UInt8]

        /// A segment whose payload does not depend on rows.
        init(type: SegmentType, payload: [UInt8]) {
            self.init(type: type, byteCountLimit: payload.count) { _ in payload }
        }

        init(type: SegmentType, byteCountLimit: Int, payload: @escaping @Sendable ([VectorSegment]) -> [UInt8]) {
            self.type = type
            self.byteCountLimit = byteCountLimit
            self.payload = payload
        }
    }

    /// In the order in which they are written and, behind everything else, named.
    var segments: [Segment] = []
    /// Entries that are not named any more.
    var superseded: Set<DirectoryEntry> = []
    /// What the segment of metadata that is written comes to; nil where none is.
    var metadata: MetadataCommit?

    var isEmpty: Bool { segments.isEmpty && superseded.isEmpty }
}
