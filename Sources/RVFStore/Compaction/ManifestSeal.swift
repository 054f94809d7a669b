import RVFHost
import SystemPackage

/// The manifest at the end of a file that is written whole, before anybody sees it.
enum ManifestSeal {
    /// As for a commit: each moves what could be mistaken for a manifest.
    private static var layoutAttempts: Int { 16 }

    /// Appends the manifest.
    ///
    /// - Parameter payload: complete but for its mark.
    /// - Returns: where its header stands.
    static func append<H: Host>(
        _ payload: ManifestPayload, id: UInt64, to stream: inout CopyStream<H>
    ) throws(StoreError) -> UInt64 {
        var payload = payload
        for _ in 0..<layoutAttempts {
            try stream.align()
            let offset = stream.position
            payload.mark = offset == 0 ? nil : PlacementMark(manifestOffset: offset)
            try checkLength(payload, path: stream.file.path)
            let encoded = payload.encoded
            let hash = ContentHash(checksum: CRC32.of(encoded.bytes))
            let header = SegmentHeader(
                type: .manifest, id: id, payloadByteCount: UInt64(encoded.count), hash: hash)
            let whole = header.encoded + encoded
            if hash.isSet, PublishCheck.findsOnly(manifest: whole.bytes) {
                try stream.append(whole.bytes)
                return offset
            }
            try stream.append([UInt8](repeating: 0, count: SegmentHeader.byteCount).bytes)
        }
        throw StoreError.limit(stream.file.path, .layout)
    }

    /// Throws where other readers would not find a manifest of this length.
    static func checkLength(_ payload: ManifestPayload, path: FilePath) throws(StoreError) {
        let byteCount = SegmentHeader.byteCount + payload.encodedByteCount
        guard byteCount <= CommitLimits.manifestByteCount else {
            throw StoreError.limit(
                path, .manifest(byteCount: byteCount, maximumByteCount: CommitLimits.manifestByteCount))
        }
    }
}
