import CZlib

/// The 104 bytes of a lock record as a plain value: read, compared and changed without the heap, so that
/// validating and renewing a held lock allocate nothing.
package struct RecordBytes: Equatable, Sendable {
    /// Little-endian words, on the little-endian machines that this package runs on the very bytes of the file.
    private var words: Words

    private typealias Pair = (UInt64, UInt64)
    private struct Words: Equatable, Sendable {
        var header: UInt64 = 0
        var name0: UInt64 = 0
        var name1: UInt64 = 0
        var name2: UInt64 = 0
        var name3: UInt64 = 0
        var name4: UInt64 = 0
        var name5: UInt64 = 0
        var name6: UInt64 = 0
        var name7: UInt64 = 0
        var timestamp: UInt64 = 0
        var writerLow: UInt64 = 0
        var writerHigh: UInt64 = 0
        var versionAndChecksum: UInt64 = 0
    }

    package init() {
        words = Words()
    }

    // `Words` is thirteen UInt64 and nothing else: every bit pattern is a value of it, its size is 104, and no
    // padding lies between. That is what the unsafe views of it rest on.
    package mutating func withUnsafeMutableBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe Swift.withUnsafeMutableBytes(of: &words, body)
    }

    package func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe Swift.withUnsafeBytes(of: words, body)
    }

    /// The first 104 of the bytes; nil where there are fewer.
    package init?(_ bytes: some Collection<UInt8>) {
        self.init()
        guard bytes.count >= LockRecord.byteCount else { return nil }
        unsafe withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes.prefix(LockRecord.byteCount)) }
    }

    package var array: [UInt8] { unsafe withUnsafeBytes { unsafe Array($0) } }

    package var magic: UInt32 {
        get { UInt32(truncatingIfNeeded: UInt64(littleEndian: words.header)) }
        set { words.header = (UInt64(processID) << 32 | UInt64(newValue)).littleEndian }
    }

    package var processID: UInt32 {
        get { UInt32(UInt64(littleEndian: words.header) >> 32) }
        set { words.header = (UInt64(newValue) << 32 | UInt64(magic)).littleEndian }
    }

    package var timestampNanoseconds: UInt64 {
        get { UInt64(littleEndian: words.timestamp) }
        set { words.timestamp = newValue.littleEndian }
    }

    package var writerID: WriterID {
        get { WriterID(low: UInt64(littleEndian: words.writerLow), high: UInt64(littleEndian: words.writerHigh)) }
        set {
            words.writerLow = newValue.low.littleEndian
            words.writerHigh = newValue.high.littleEndian
        }
    }

    package var version: UInt32 {
        get { UInt32(truncatingIfNeeded: UInt64(littleEndian: words.versionAndChecksum)) }
        set { words.versionAndChecksum = (UInt64(checksum) << 32 | UInt64(newValue)).littleEndian }
    }

    package var checksum: UInt32 {
        get { UInt32(UInt64(littleEndian: words.versionAndChecksum) >> 32) }
        set { words.versionAndChecksum = (UInt64(newValue) << 32 | UInt64(version)).littleEndian }
    }

    /// The 64 bytes of the host name's field.
    package var hostNameField: [UInt8] {
        get {
            let field = LockRecord.Layout.hostName
            return unsafe withUnsafeBytes { unsafe Array($0[field.offset..<field.end]) }
        }
        set {
            let field = LockRecord.Layout.hostName
            unsafe withUnsafeMutableBytes {
                for index in 0..<field.byteCount { unsafe $0[field.offset + index] = newValue[index] }
            }
        }
    }

    package var guardByte: UInt8 {
        get { unsafe withUnsafeBytes { unsafe $0[LockRecord.Layout.guardByte.offset] } }
        set { unsafe withUnsafeMutableBytes { unsafe $0[LockRecord.Layout.guardByte.offset] = newValue } }
    }

    /// CRC-32 (IEEE, zlib's) of the first `count` bytes.
    package func crc32(ofFirst count: Int) -> UInt32 {
        unsafe withUnsafeBytes { bytes in
            UInt32(truncatingIfNeeded: unsafe CZlib.crc32(0, bytes.baseAddress, UInt32(count)))
        }
    }

    /// What the checksum field has to hold for the other bytes as they are.
    package var computedChecksum: UInt32 { crc32(ofFirst: LockRecord.Layout.checksum.offset) }
}
