import Crypto

/// The 40 bytes behind a metadata payload, see ``MetadataPayload``: they say that it is all there.
package enum MetadataFooter {
    package static let byteCount = MetadataFormat.footerByteCount

    /// Checks what can be checked without a look at the fields: length, beginning, end, and hash.
    static func check(_ payload: RawSpan) throws(FormatError) {
        try checkByteCount(payload.byteCount)
        // Bytes that are something else, or of a later version, are called that rather than damaged.
        var cursor = MetadataCursor(payload)
        guard try cursor.next(UInt64.self, "the magic") == MetadataFormat.magic else {
            throw FormatError(offset: 0, what: "this is no metadata: the magic is another")
        }
        let version = try cursor.next(UInt16.self, "the version")
        guard version == MetadataFormat.version else {
            throw FormatError(offset: 8, what: "metadata of version \(version), which is not known")
        }
        guard payload.byteCount >= MetadataFormat.headerByteCount + MetadataFormat.footerByteCount else {
            throw FormatError(
                offset: payload.byteCount, what: "metadata of \(payload.byteCount) bytes; its header and footer need 80"
            )
        }
        let bodyByteCount = payload.byteCount - MetadataFormat.footerByteCount
        guard payload.integer(UInt64.self, at: bodyByteCount) == MetadataFormat.footerMagic else {
            throw FormatError(offset: bodyByteCount, what: "the footer is not there")
        }
        let hash = sha256(payload.extracting(0..<bodyByteCount))
        guard hash == payload.copy((bodyByteCount + 8)..<payload.byteCount) else {
            throw FormatError(offset: bodyByteCount + 8, what: "the hash is not that of the metadata before it")
        }
    }

    static func checkByteCount(_ count: Int) throws(FormatError) {
        guard count <= MetadataFormat.payloadByteLimit else {
            throw FormatError(
                offset: MetadataFormat.payloadByteLimit,
                what: "metadata of \(count) bytes; at most \(MetadataFormat.payloadByteLimit) are allowed")
        }
    }

    /// Appends the footer to a body.
    package static func append(to body: inout [UInt8]) {
        let hash = sha256(body.bytes)
        body.append(littleEndian: MetadataFormat.footerMagic)
        body.append(contentsOf: hash)
    }

    private static func sha256(_ bytes: RawSpan) -> [UInt8] {
        var hash = SHA256()
        // The bytes are read while the span lends them.
        unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
        return Array(hash.finalize())
    }
}
