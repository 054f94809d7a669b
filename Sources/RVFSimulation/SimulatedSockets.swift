import SystemPackage

/// Pairs of connected Unix stream sockets, which carry bytes and open files, as a value.
///
/// Follows Linux: what was sent before an end closed is still read; an end that closes over bytes that nobody has read
/// resets the other one, once; sending to a closed end is EPIPE. Nothing fills up, and nothing that was sent in one call
/// arrives in two.
package struct SimulatedSockets: Hashable, Sendable {
    struct Message: Hashable, Sendable {
        var bytes: [UInt8]
        var files: [WorldState.OpenFile]
    }

    private struct End: Hashable, Sendable {
        var isOpen = true
        var isReset = false
        var inbox: [Message] = []
    }

    /// The ends 2n and 2n + 1 are connected.
    private var ends: [End]

    /// The number that an end has in the process that begins with it: higher than those that it opens itself.
    package static let firstDescriptor: Int32 = 900

    package init(pairCount: Int = 0) {
        ends = [End](repeating: End(), count: 2 * pairCount)
    }

    var isEmpty: Bool { ends.isEmpty }

    private static func other(_ end: Int) -> Int { end ^ 1 }

    func isReadable(_ end: Int) -> Bool {
        !ends[end].inbox.isEmpty || ends[end].isReset || !ends[Self.other(end)].isOpen
    }

    /// Whether nothing more can come to an end than what is there.
    func isOver(_ end: Int) -> Bool { !ends[Self.other(end)].isOpen }

    mutating func send(_ message: Message, from end: Int) throws(Errno) {
        guard ends[Self.other(end)].isOpen else { throw .brokenPipe }
        ends[Self.other(end)].inbox.append(message)
    }

    /// The first bytes of what is there, with the files that came along; nothing at the end of the stream.
    mutating func receive(_ end: Int, atMostBytes count: Int) throws(Errno) -> Message {
        guard let first = ends[end].inbox.first else {
            if ends[end].isReset {
                ends[end].isReset = false
                throw .connectionReset
            }
            return Message(bytes: [], files: [])
        }
        let rest = Array(first.bytes.dropFirst(count))
        if rest.isEmpty {
            ends[end].inbox.removeFirst()
        } else {
            ends[end].inbox[0] = Message(bytes: rest, files: [])
        }
        return Message(bytes: Array(first.bytes.prefix(count)), files: first.files)
    }

    /// - Returns: the files that were on their way to this end, and have no owner any more.
    mutating func close(_ end: Int) -> [WorldState.OpenFile] {
        let lost = ends[end].inbox.flatMap(\.files)
        if !ends[end].inbox.isEmpty { ends[Self.other(end)].isReset = true }
        ends[end].isOpen = false
        ends[end].inbox = []
        return lost
    }

    /// All files that are on their way.
    var files: [WorldState.OpenFile] { ends.flatMap { $0.inbox.flatMap(\.files) } }
}
