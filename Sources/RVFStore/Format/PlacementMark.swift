/// A manifest's own word on where it stands, after its identity. A manifest that was copied along with something
/// else, into a payload or another file, then says so itself.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u32 | magic 0x4D505652 (bytes `RVPM`) |
/// | 4 | u16 | version 1 |
/// | 6 | u16 | flags; bit 0: the commit was not made durable; bit 1: the total and the deleted list were not counted |
/// | 8 | u64 | offset of the manifest's header in its file |
/// | 16 | u64 | only with bit 0: everything in the file before this offset is durable |
package struct PlacementMark: Hashable, Sendable {
    private static let byteCount = 16
    private static let flagUnsynced: UInt16 = 1
    private static let flagUncounted: UInt16 = 2
    static let magic: UInt32 = 0x4D50_5652
    static let currentVersion: UInt16 = 1

    package var manifestOffset: UInt64
    /// Where the bytes begin of which nobody knows whether they are durable; nil where all are that the manifest
    /// names.
    package var unsyncedFrom: UInt64?
    /// Whether the manifest's total is that of the ids in its segments, and there is a row of every deleted id. If not,
    /// they are those of another writer, or some rows could not be read.
    package var isCounted: Bool

    package init(manifestOffset: UInt64, unsyncedFrom: UInt64? = nil, isCounted: Bool = true) {
        self.manifestOffset = manifestOffset
        self.unsyncedFrom = unsyncedFrom
        self.isCounted = isCounted
    }

    /// Nil where what follows is something else, or nothing.
    init?(_ reader: inout FieldReader) throws(FormatError) {
        guard reader.remainingBytes >= Self.byteCount,
            try reader.next(UInt32.self, "the mark's magic") == Self.magic,
            try reader.next(UInt16.self, "the mark's version") == Self.currentVersion
        else { return nil }
        let flags = try reader.next(UInt16.self, "the mark's flags")
        isCounted = flags & Self.flagUncounted == 0
        manifestOffset = try reader.next(UInt64.self, "the mark's offset")
        if flags & Self.flagUnsynced != 0 {
            unsyncedFrom = try reader.next(UInt64.self, "the end of what is durable")
        }
    }

    /// What ``encode(into:)`` adds.
    var byteCount: Int { Self.byteCount + (unsyncedFrom == nil ? 0 : 8) }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.currentVersion)
        let flags = (unsyncedFrom == nil ? 0 : Self.flagUnsynced) | (isCounted ? 0 : Self.flagUncounted)
        bytes.append(littleEndian: flags)
        bytes.append(littleEndian: manifestOffset)
        if let unsyncedFrom { bytes.append(littleEndian: unsyncedFrom) }
    }
}
