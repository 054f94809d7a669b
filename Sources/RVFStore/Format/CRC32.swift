import CZlib

/// CRC-32 (IEEE 802.3, the one of zlib), taken piece by piece.
package struct CRC32: Sendable {
    /// The checksum of all bytes so far; 0 before the first.
    package private(set) var value: UInt32 = 0

    package init() {}

    package mutating func update(_ bytes: RawSpan) {
        let before = value
        // zlib reads exactly `count` bytes of a buffer that is alive for the call.
        value = unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return before }
            return unsafe UInt32(
                truncatingIfNeeded: crc32_z(uLong(before), base.assumingMemoryBound(to: Bytef.self), buffer.count))
        }
    }

    package static func of(_ bytes: RawSpan) -> UInt32 {
        var checksum = CRC32()
        checksum.update(bytes)
        return checksum.value
    }
}
