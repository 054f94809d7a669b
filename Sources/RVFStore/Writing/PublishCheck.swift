/// What other readers will take for the manifest.
///
/// The reference runtime scans backwards through the last 64 KiB for the magic with a manifest's type and believes the
/// first that parses; it checks no hash. Bytes of a manifest that come from outside (deleted ids, an identity) can
/// look like that. The scan is run here over a manifest before it is published.
package enum PublishCheck {
    /// Whether that scan, over a file that ends with this manifest, finds it and nothing inside it.
    ///
    /// - Parameter manifest: header and payload.
    package static func findsOnly(manifest: RawSpan) -> Bool {
        ManifestSignature.candidates(in: manifest).allSatisfy { $0 == 0 || !mayParse(manifest, at: $0) }
    }

    /// Whether a list of ids has what looks like the beginning of a manifest's header, wherever the list stands.
    static func mayMislead(_ ids: [UInt64]) -> Bool {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 * ids.count)
        for id in ids { bytes.append(littleEndian: id) }
        return !ManifestSignature.candidates(in: bytes.bytes).isEmpty
    }

    /// Parsing is taken to ask no more than that the payload ends within the file and holds the fixed fields, which
    /// is less than any reader asks.
    private static func mayParse(_ bytes: RawSpan, at offset: Int) -> Bool {
        guard offset + SegmentHeader.byteCount <= bytes.byteCount,
            let header = SegmentHeader(bytes.extracting(offset..<(offset + SegmentHeader.byteCount)))
        else { return false }
        let left = bytes.byteCount - offset - SegmentHeader.byteCount
        return header.payloadByteCount >= UInt64(ManifestPayload.fixedByteCount)
            && header.payloadByteCount <= UInt64(left)
    }
}
