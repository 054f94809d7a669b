import CRVFKernels
import CZlib

/// CRC-32 (IEEE 802.3, the one of zlib), taken piece by piece. Where the processor can multiply without carries, what
/// is longer than a few bytes is first folded to 16 bytes of the same remainder: three times as fast as zlib.
package struct CRC32: Sendable {
    /// The checksum of all bytes so far; 0 before the first.
    package private(set) var value: UInt32 = 0

    package init() {}

    package mutating func update(_ bytes: RawSpan) {
        let before = value
        // Both functions read exactly `count` bytes of a buffer that is alive for the call.
        value = unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return before }
            let start = unsafe base.assumingMemoryBound(to: UInt8.self)
            var remainder: (UInt64, UInt64) = (0, 0)
            let folded = unsafe withUnsafeMutableBytes(of: &remainder) {
                unsafe rvf_crc32_fold(
                    ~before, start, buffer.count, $0.baseAddress!.assumingMemoryBound(to: UInt8.self))
            }
            let prefix =
                folded == 0
                ? before
                // The value whose register is 0.
                : unsafe withUnsafeBytes(of: remainder) { unsafe Self.zlib(.max, $0) }
            return unsafe Self.zlib(prefix, UnsafeRawBufferPointer(rebasing: buffer[folded...]))
        }
    }

    private static func zlib(_ before: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        // zlib takes a missing buffer for a question about its first value.
        guard let base = bytes.baseAddress, bytes.count > 0 else { return before }
        // It reads exactly so many bytes of what the caller keeps alive.
        return unsafe UInt32(
            truncatingIfNeeded: crc32_z(uLong(before), base.assumingMemoryBound(to: Bytef.self), bytes.count))
    }

    package static func of(_ bytes: RawSpan) -> UInt32 {
        var checksum = CRC32()
        checksum.update(bytes)
        return checksum.value
    }
}
