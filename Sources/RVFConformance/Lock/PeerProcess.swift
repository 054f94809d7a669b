import RVFHost
import SystemPackage

#if canImport(Glibc)
    import Glibc
    // Structures on the one system, and pointers to hidden ones on the other.
    private func emptySpawnActions() -> posix_spawn_file_actions_t { unsafe posix_spawn_file_actions_t() }
    private func emptySpawnAttributes() -> posix_spawnattr_t { posix_spawnattr_t() }
#elseif canImport(Darwin)
    import Darwin
    private func emptySpawnActions() -> posix_spawn_file_actions_t? { nil }
    private func emptySpawnAttributes() -> posix_spawnattr_t? { nil }
#endif

/// A running copy of the implementation under test, in a process group of its own: what it starts in turn goes with
/// it. Nothing here waits longer than it is told, whatever the process does.
final class PeerProcess {
    /// Also its group's.
    let processID: Int32
    /// For messages.
    let name: String
    let output: FileDescriptor
    private let input: FileDescriptor
    private var lines = LineBuffer()
    private(set) var hasEnded = false
    private var isReaped = false
    private let limits: PeerLimits

    /// How much is read at once: what a flood costs at most before it is noticed.
    private static let readBytes = 16_384

    init(_ command: [String], name: String, limits: PeerLimits) throws(ScenarioEnd) {
        self.name = name
        self.limits = limits
        (processID, input, output) = try Self.spawn(command)
    }

    deinit {
        kill()
        try? input.close()
        try? output.close()
    }

    // MARK: Talk

    /// Sends a request and waits for its answer.
    func ask(_ request: PeerRequest) throws(ScenarioEnd) -> PeerAnswer {
        try send(request)
        return try answer(to: request)
    }

    func send(_ request: PeerRequest) throws(ScenarioEnd) {
        try receive()
        if !lines.isEmpty { throw .failed("\(name) said more than it was asked: “\(lines.start)”") }
        if hasEnded { throw .failed("\(name) ended by itself, before `\(request.line.prefix(8))…`") }
        let bytes = Array((request.line + "\n").utf8)
        let count = unsafe bytes.withUnsafeBytes { unsafe write(input.rawValue, $0.baseAddress, $0.count) }
        if count == bytes.count { return }
        throw .failed(
            count >= 0 || errno == EAGAIN
                ? "\(name) does not read its requests" : "\(name) ended by itself, before `\(request.line.prefix(8))…`")
    }

    func answer(to request: PeerRequest) throws(ScenarioEnd) -> PeerAnswer {
        let end = ContinuousClock.now + limits.answer
        while true {
            if let answer = try next(to: request) { return answer }
            if hasEnded { throw .failed("\(name) ended without an answer to `\(request.line)`") }
            if ContinuousClock.now > end {
                throw .failed("\(name) did not answer `\(request.line)` within \(limits.answer)")
            }
            try limits.check()
            _ = Self.await([output], milliseconds: 50)
            try receive()
        }
    }

    /// The answer, if it has come.
    func next(to request: PeerRequest) throws(ScenarioEnd) -> PeerAnswer? {
        switch lines.next() {
        case nil: return nil
        case .tooLong: throw .failed("\(name) answered more than \(LineBuffer.limitBytes) bytes without an end of line")
        case .text(let line):
            guard let answer = PeerAnswer(line: line), request.words.contains(answer.word) else {
                throw .failed("\(name) answered `\(request.line)` by “\(line.prefix(200))”")
            }
            return answer
        }
    }

    /// Takes in what has been said, without waiting.
    func receive() throws(ScenarioEnd) {
        guard !hasEnded, Self.await([output], milliseconds: 0)[0] else { return }
        var bytes = [UInt8](repeating: 0, count: Self.readBytes)
        let count = unsafe read(output.rawValue, &bytes, bytes.count)
        if count > 0 { return lines.append(bytes.prefix(count)) }
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        hasEnded = true
    }

    /// Whether the process closes its output in time.
    func ends() throws(ScenarioEnd) -> Bool {
        let end = ContinuousClock.now + limits.answer
        while !hasEnded, ContinuousClock.now < end {
            try limits.check()
            _ = Self.await([output], milliseconds: 50)
            try receive()
            // Nothing that it says now is asked for, but a flood is no end.
            if case .tooLong? = lines.next() { return false }
        }
        return hasEnded
    }

    /// Which of the descriptors have something to read, or have come to their end.
    static func await(_ descriptors: [FileDescriptor], milliseconds: Int32) -> [Bool] {
        var polled = descriptors.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
        let count = unsafe poll(&polled, nfds_t(polled.count), milliseconds)
        return polled.map { count > 0 && $0.revents != 0 }
    }

    /// Whether a process belongs to this one.
    func owns(_ process: UInt32) -> Bool {
        guard let number = Int32(exactly: process), number > 0 else { return false }
        return number == processID || getpgid(number) == processID
    }

    // MARK: End

    /// Kills the process and what it started, as far as that is still in its group, and waits until it is gone. The
    /// process is not reaped before, so nobody else has its number.
    func kill() {
        guard !isReaped else { return }
        isReaped = true
        // The group is made by the child, before it becomes the command; the process itself goes in any case.
        _ = systemKill(-processID, SIGKILL)
        _ = systemKill(processID, SIGKILL)
        var status: Int32 = 0
        // One that the kernel cannot end, as on a dead network file system, is left to it after five seconds.
        for _ in 0..<5000 {
            let found = unsafe waitpid(processID, &status, WNOHANG)
            if found == processID || found < 0 && errno != EINTR { return }
            usleep(1000)
        }
    }

    // MARK: Start

    private static func spawn(
        _ command: [String]
    ) throws(ScenarioEnd) -> (Int32, FileDescriptor, FileDescriptor) {
        let (toChild, fromChild) = (try pipe(), try pipe())
        defer {
            try? toChild.readEnd.close()
            try? fromChild.writeEnd.close()
        }
        _ = fcntl(toChild.writeEnd.rawValue, F_SETFL, O_NONBLOCK)
        var actions = unsafe emptySpawnActions()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        unsafe _ = posix_spawn_file_actions_adddup2(&actions, toChild.readEnd.rawValue, 0)
        unsafe _ = posix_spawn_file_actions_adddup2(&actions, fromChild.writeEnd.rawValue, 1)
        var attributes = emptySpawnAttributes()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        // This command blocks some signals and ignores others, and a child would inherit that.
        var none = sigset_t()
        var usual = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigemptyset(&usual)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGPIPE] { unsafe sigaddset(&usual, number) }
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &usual)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        var words = unsafe command.map { unsafe strdup($0) }
        unsafe words.append(nil)
        defer { unsafe words.forEach { unsafe free($0) } }
        var child: pid_t = 0
        let result = unsafe posix_spawnp(&child, words[0]!, &actions, &attributes, words, environ)
        guard result == 0 else {
            try? toChild.writeEnd.close()
            try? fromChild.readEnd.close()
            throw .failed("\(command[0]) cannot be started: \(Errno(rawValue: result))")
        }
        return (child, toChild.writeEnd, fromChild.readEnd)
    }

    private static func pipe() throws(ScenarioEnd) -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) {
        do {
            let ends = try FileDescriptor.pipe()
            for end in [ends.readEnd, ends.writeEnd] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
            return ends
        } catch {
            throw .failed("the kit has no pipe: \(error)")
        }
    }
}

/// The call by a name that no method hides.
private func systemKill(_ process: Int32, _ signal: Int32) -> Int32 { kill(process, signal) }

/// How long is waited for an answer, and whether the whole is to end.
struct PeerLimits {
    var answer: Duration
    var isCancelled: @Sendable () -> Bool

    func check() throws(ScenarioEnd) {
        if isCancelled() { throw .cancelled }
    }
}
