/// The bytes by which a manifest's header is recognised: the magic and, at its place, the type.
enum ManifestSignature {
    /// The bytes that are looked at: the magic, the version, the type.
    static let byteCount = SegmentHeader.typeOffset + 1

    /// Where the signature stands, rising.
    static func candidates(in bytes: RawSpan) -> [Int] {
        var found: [Int] = []
        // The magic's four bytes differ and any four neighbouring offsets hold exactly one of its places, so every
        // fourth byte is enough to look at.
        var offset = 3
        while offset < bytes.byteCount {
            let start: Int
            switch bytes.integer(UInt8.self, at: offset) {
            case 0x53: start = offset
            case 0x46: start = offset - 1
            case 0x56: start = offset - 2
            case 0x52: start = offset - 3
            default: start = -1
            }
            offset += 4
            guard start >= 0, start + byteCount <= bytes.byteCount else { continue }
            if bytes.integer(UInt32.self, at: start) == SegmentHeader.magic,
                bytes.integer(UInt8.self, at: start + SegmentHeader.typeOffset) == SegmentType.manifest.rawValue
            {
                found.append(start)
            }
        }
        return found
    }
}
