package import RVFHost
import SystemPackage

/// How a reader gets at a store's bytes.
public enum ReadMode: Sendable {
    /// The file is mapped and rows are read where they stand. Should another program cut the file short, in place,
    /// reading what is gone ends the process (SIGBUS); no program of this package does that.
    case mapped
    /// Every access is a read call: slower, and an error where a mapped reader would end.
    case positional
}

/// The bytes of one file as far as they went when it was looked at. Later growth is not seen, so that everything read
/// from one source speaks of one moment. Safe to share between threads.
package struct ByteSource<H: Host>: Sendable {
    package let file: OpenFile<H>
    /// Bytes in the file at that moment.
    package let byteCount: UInt64
    private let access: Access

    private enum Access: Sendable {
        case calls
        case mapped(Mapping)
        case mappedOnDemand(MappingOnDemand)
    }

    /// What all copies of a source share.
    private final class MappingOnDemand: Sendable {
        /// Nil once it is known that the file cannot be mapped.
        let mapping = Lazy<Mapping?>()
    }

    /// How much is read at once where whole payloads pass through memory.
    package static var windowByteCount: Int { 1 << 20 }

    /// - Parameter onDemand: whether the file is mapped at the first look at its bytes only, which many sources of a
    ///   writer never see.
    package init(file: OpenFile<H>, byteCount: UInt64, mode: ReadMode, onDemand: Bool = false) {
        self.file = file
        self.byteCount = byteCount
        if mode == .positional {
            access = .calls
        } else if onDemand {
            access = .mappedOnDemand(MappingOnDemand())
        } else {
            access = Self.map(file, byteCount).map(Access.mapped) ?? .calls
        }
    }

    /// Some file systems cannot map; there the bytes are read by calls.
    private static func map(_ file: OpenFile<H>, _ byteCount: UInt64) -> Mapping? {
        guard byteCount > 0, let length = Int(exactly: byteCount) else { return nil }
        do throws(Errno) {
            return try file.host.map(file.descriptor, lengthBytes: length)
        } catch {
            return nil
        }
    }

    private var mapping: Mapping? {
        switch access {
        case .calls: nil
        case .mapped(let mapping): mapping
        case .mappedOnDemand(let shared): shared.mapping.value { Self.map(file, byteCount) }
        }
    }

    package var isMapped: Bool { mapping != nil }
    /// For what is to be read where it stands for longer than a call.
    var map: Mapping? { mapping }

    /// Lends bytes of the source: in place where they are mapped, else read for this call.
    ///
    /// - Precondition: the range lies within ``byteCount``; whoever got it from the file checks it first.
    package func withBytes<Value>(
        at offset: UInt64, count: Int, _ body: (RawSpan) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        precondition(
            count >= 0 && offset <= byteCount && UInt64(count) <= byteCount - offset, "range beyond the source")
        if let mapping {
            let bytes = mapping.bytes
            return try body(bytes.extracting(Int(offset)..<(Int(offset) + count)))
        }
        let buffer = try read(at: offset, count: count)
        return try body(buffer.bytes)
    }

    /// A copy of some bytes. The same precondition holds as for ``withBytes(at:count:_:)``.
    package func read(at offset: UInt64, count: Int) throws(StoreError) -> [UInt8] {
        if mapping != nil {
            return try withBytes(at: offset, count: count) { (bytes) throws(StoreError) in bytes.copy(0..<count) }
        }
        var failure: StoreError?
        // The array is filled to its end, or thrown away.
        let buffer = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(StoreError) {
                try unsafe file.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
                filled = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return buffer
    }

    /// The header at an offset; nil where none can stand there or the magic is missing.
    package func header(at offset: UInt64) throws(StoreError) -> SegmentHeader? {
        let length = UInt64(SegmentHeader.byteCount)
        guard byteCount >= length, offset <= byteCount - length else { return nil }
        return try withBytes(at: offset, count: SegmentHeader.byteCount) { (bytes) throws(StoreError) in
            SegmentHeader(bytes)
        }
    }

    /// The CRC-32 of some bytes, read in windows. The precondition of ``withBytes(at:count:_:)`` holds.
    package func checksum(at offset: UInt64, count: UInt64) throws(StoreError) -> UInt32 {
        var checksum = CRC32()
        var position = offset
        let end = offset + count
        while position < end {
            let step = Int(min(UInt64(Self.windowByteCount), end - position))
            try withBytes(at: position, count: step) { (bytes) throws(StoreError) in checksum.update(bytes) }
            position += UInt64(step)
        }
        return checksum.value
    }
}
