import SystemPackage

/// Bytes of a file or a pipe, one after the other, with the place of the next one for messages. Only a window of
/// them is in memory.
struct ByteInput: ~Copyable {
    /// How a person calls it.
    let name: String
    /// Nil where all bytes are in the window.
    private let source: (descriptor: FileDescriptor, interruption: Interruption)?
    private let ownsDescriptor: Bool
    private var window: [UInt8] = []
    private var position = 0
    /// Bytes before the window.
    private var windowOffset = 0
    private(set) var line = 1
    private var lineOffset = 0

    private static let windowByteCount = 1 << 18

    /// - Parameter path: `-` for standard input.
    init(_ path: FilePath, interruption: Interruption) throws(Failure) {
        ownsDescriptor = path != "-"
        name = ownsDescriptor ? path.string : "standard input"
        do {
            source = (ownsDescriptor ? try FileDescriptor.open(path, .readOnly) : .standardInput, interruption)
        } catch {
            throw Failure(.failed, code: "system", "opening \(path) failed: \(error); is the path right?")
        }
    }

    /// Bytes that are in memory.
    init(_ bytes: [UInt8], name: String) {
        self.name = name
        source = nil
        ownsDescriptor = false
        window = bytes
    }

    deinit {
        if ownsDescriptor { try? source?.descriptor.close() }
    }

    /// Bytes before the next one.
    var offset: Int { windowOffset + position }
    /// Counted from 1, in bytes.
    var column: Int { offset - lineOffset + 1 }

    /// The next byte, without passing it; nil at the end.
    mutating func peek() throws(Failure) -> UInt8? {
        if position == window.count { try fill() }
        return position < window.count ? window[position] : nil
    }

    /// Passes the byte that ``peek()`` gave.
    mutating func advance() {
        let byte = window[position]
        position += 1
        if byte == UInt8(ascii: "\n") {
            line += 1
            lineOffset = offset
        }
    }

    private mutating func fill() throws(Failure) {
        guard let (descriptor, interruption) = source else { return }
        // A pipe may stay silent for as long as it likes; a signal still has to end the wait.
        if case .interrupted = interruption.awaitReadable(descriptor, atMost: nil) {
            throw Failure.interrupted
        }
        windowOffset += window.count
        position = 0
        do {
            window = try unsafe [UInt8](unsafeUninitializedCapacity: Self.windowByteCount) { buffer, count in
                count = try unsafe descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        } catch {
            window = []
            throw Failure(.failed, code: "system", "reading \(name) failed: \(error)")
        }
    }
}
