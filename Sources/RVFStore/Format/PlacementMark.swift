/// A manifest's own word on where it stands, after its identity. A manifest that was copied along with something
/// else, into a payload or another file, then says so itself.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u32 | magic 0x4D505652 (bytes `RVPM`) |
/// | 4 | u16 | version 1 |
/// | 6 | u16 | flags, 0 |
/// | 8 | u64 | offset of the manifest's header in its file |
package struct PlacementMark: Hashable, Sendable {
    package static let byteCount = 16
    static let magic: UInt32 = 0x4D50_5652
    static let currentVersion: UInt16 = 1

    package var manifestOffset: UInt64

    package init(manifestOffset: UInt64) {
        self.manifestOffset = manifestOffset
    }

    /// Nil where what follows is something else, or nothing.
    init?(_ reader: inout FieldReader) throws(FormatError) {
        guard reader.remainingBytes >= Self.byteCount,
            try reader.next(UInt32.self, "the mark's magic") == Self.magic,
            try reader.next(UInt16.self, "the mark's version") == Self.currentVersion
        else { return nil }
        _ = try reader.next(UInt16.self, "the mark's flags")
        manifestOffset = try reader.next(UInt64.self, "the mark's offset")
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.currentVersion)
        bytes.append(littleEndian: UInt16(0))
        bytes.append(littleEndian: manifestOffset)
    }
}
