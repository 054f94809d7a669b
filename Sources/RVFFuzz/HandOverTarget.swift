import RVFHost
import RVFLock
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension FuzzTarget {
    /// What two processes say to each other while one hands a lock over to the other, over a socket.
    static let handOverTarget = FuzzTarget(
        "hand-over", seeds: { HandOverCheck.seeds }, greedy: { [0x43, 0x52, 0].map(GreedyInputs.repeating) }
    ) { input in
        // More than that does not fit into a socket while nobody reads.
        let input = Array(input.prefix(1 << 15))
        try HandOverCheck.adopt(input)
        try HandOverCheck.handOver(input)
    }
}

private enum HandOverCheck {
    private static let record = PayloadSeeds.lockRecords().first.flatMap { RecordBytes($0[...]) }

    static var seeds: [[UInt8]] {
        let whole = record.map { record in [true, false].map { HandOverMessage.encode(record, hasProtectedFile: $0) } }
        return (whole ?? []) + [Array("C".utf8), Array("Rbecause".utf8), [0], []]
    }

    private static var options: LockOptions {
        LockOptions(renewal: .manual, settle: .zero)
    }

    /// What arrives where a lock is awaited is a lock, or is refused and changes nothing.
    static func adopt(_ message: [UInt8]) throws {
        guard let record else { throw FuzzFailure("no record") }
        try scene { directory, path in
            let host = POSIXHost()
            let files = try ["data.rvf", "data.rvf.lock"].map {
                try FileDescriptor.open(directory.path($0), .readWrite, options: .create, permissions: .ownerReadWrite)
            }
            try files[1].writeAll(record.array)
            for file in files { _ = try host.tryLock(file) }
            let before = try directory.read("data.rvf.lock")
            let (ours, theirs) = try socketPair()
            defer { for file in [ours, theirs] + files { try? file.close() } }
            // As many descriptors as the message says, which is for the message to say right.
            let names = message.count > 5 && message[5] & 1 != 0 ? [files[1], files[0]] : [files[1]]
            try send(message, names, over: ours)
            let isRight = message.starts(with: Array("RVFH".utf8) + [1])
            let held: HeldLock<POSIXHost>
            do throws(LockError) {
                held = try HeldLock.adopt(
                    host: host, registry: LockRegistry(), protecting: path, over: theirs, options: options)
            } catch {
                try FuzzFailure.unless(!error.description.isEmpty, "no reason is given")
                let after = try directory.read("data.rvf.lock")
                return try FuzzFailure.unless(after == before, "what was refused changed the lock file")
            }
            try FuzzFailure.unless(isRight && held.writerID == record.writerID, "a lock was taken over with \(message)")
            try held.release()
        }
    }

    /// Whatever the answer, there is a holder afterwards: the one that said so, or the one before.
    static func handOver(_ answer: [UInt8]) throws {
        try scene { directory, path in
            try directory.write([], to: "data.rvf")
            let held = try HeldLock.acquire(
                host: POSIXHost(), registry: LockRegistry(), protecting: path, options: options)
            let (ours, theirs) = try socketPair()
            defer { for file in [ours, theirs] { try? file.close() } }
            try send(answer, [], over: theirs)
            let outcome = try held.handOver(over: ours)
            let isConfirmed = answer.first == UInt8(ascii: "C")
            try FuzzFailure.unless((outcome == .handedOver) == isConfirmed, "\(answer) leads to \(outcome)")
            if !isConfirmed {
                try held.validate()
                try held.release()
            }
        }
    }

    private static func scene(_ body: (FuzzDirectory, FilePath) throws -> Void) throws {
        try FuzzDirectory.withDirectory { try body($0, $0.path("data.rvf")) }
    }

    /// All there is to say, and the end of it.
    private static func send(_ bytes: [UInt8], _ descriptors: [FileDescriptor], over socket: FileDescriptor) throws {
        var rest = bytes[...]
        var descriptors = descriptors
        while !rest.isEmpty {
            let count = try POSIXHost().send(socket, Array(rest), descriptors: descriptors)
            rest = rest.dropFirst(count)
            descriptors = []
        }
        _ = shutdown(socket.rawValue, Int32(SHUT_WR))
    }

    private static func socketPair() throws -> (FileDescriptor, FileDescriptor) {
        var ends: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, streamSocket, 0, &ends) == 0 else { throw Errno(rawValue: errno) }
        return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
    }
}

#if canImport(Glibc)
    private let streamSocket = Int32(SOCK_STREAM.rawValue)
#else
    private let streamSocket = SOCK_STREAM
#endif
