import Foundation
import Synchronization
public import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How a process ended.
public enum Ending: Equatable, Sendable {
    case exited(Int32)
    case killed(Int32)
    /// Stopped by a signal; it may go on.
    case stopped
}

/// A helper process that a test talks to by lines, stops, and kills.
///
/// Every wait has a limit that no working system comes near, so that a mistake ends a test instead of hanging it.
/// What is still running when the value goes is killed, by its id, and reaped.
public final class Probe: Sendable {
    public enum Failure: Error {
        case notFound(String)
        case spawning(Int32)
        /// The process ended, or said nothing for too long; with what it was asked.
        case noAnswer(String)
    }

    public let processID: Int32
    private let toChild: FileDescriptor
    private let fromChild: FileDescriptor
    private let state = Mutex((unread: [UInt8](), ending: Ending?.none))

    public static let patienceSeconds = TestPowers.isLong ? 900 : 120

    /// Where the helper was built: beside the test bundle.
    public static let executable: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")).map { [$0] } ?? []
        let bundles = own + CommandLine.arguments.filter { $0.contains(".xctest") } + Bundle.allBundles.map(\.bundlePath)
        for bundle in bundles {
            var directory = FilePath(bundle)
            // A bundle on macOS is a directory with the executable some levels down.
            for _ in 0..<5 where directory.removeLastComponent() {
                let candidate = directory.appending("rvf-probe").string
                if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
            }
        }
        return "rvf-probe"
    }()

    /// Starts the helper in a role; see `Sources/rvf-probe/main.swift` for what there is.
    ///
    /// - Parameters:
    ///   - settings: `key=value` words.
    ///   - wrapper: A program, with its arguments, that starts the helper in turn (`unshare` and the like).
    ///   - environment: Variables set beside those of this process.
    public init(
        _ role: String, _ path: FilePath, _ settings: [String] = [], through wrapper: [String] = [],
        environment: [String: String] = [:]
    ) throws {
        let words = wrapper + [Self.executable, role, path.string] + settings
        var variables = ProcessInfo.processInfo.environment
        // Crashes are asked for here, and nobody reads their traces.
        variables["SWIFT_BACKTRACE"] = "enable=no"
        variables.merge(environment) { $1 }
        (processID, toChild, fromChild) = try Self.spawn(words, variables.map { "\($0.key)=\($0.value)" })
    }

    deinit {
        if state.withLock({ $0.ending == nil }) {
            kill(SIGKILL)
            _ = end()
        }
        try? toChild.close()
        try? fromChild.close()
    }

    // MARK: Talk

    /// Sends a line and waits for the one that answers it.
    @discardableResult
    public func ask(_ line: String) throws -> String {
        send(line)
        guard let answer = readLine() else { throw Failure.noAnswer(line) }
        return answer
    }

    /// Sends a line. A process that has gone by then does not answer, and that is where it shows.
    public func send(_ line: String) {
        _ = try? toChild.writeAll(Array((line + "\n").utf8))
    }

    public func closeInput() {
        // The other end is what matters; the number itself is given back in deinit.
        guard let null = try? FileDescriptor.open(FilePath("/dev/null"), .writeOnly) else { return }
        _ = try? null.duplicate(as: toChild)
        try? null.close()
        _ = fcntl(toChild.rawValue, F_SETFD, FD_CLOEXEC)
    }

    /// The next line; nil at the end, or after too long a silence.
    public func readLine() -> String? {
        state.withLock { state in
            while true {
                if let end = state.unread.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: state.unread[..<end], as: UTF8.self)
                    state.unread.removeSubrange(...end)
                    return line
                }
                var polled = pollfd(fd: fromChild.rawValue, events: Int16(POLLIN), revents: 0)
                guard unsafe poll(&polled, 1, Int32(Self.patienceSeconds * 1000)) > 0 else { return nil }
                var buffer = [UInt8](repeating: 0, count: 4096)
                let count = unsafe buffer.withUnsafeMutableBytes { (try? unsafe fromChild.read(into: $0)) ?? 0 }
                if count == 0 { return nil }
                state.unread += buffer.prefix(count)
            }
        }
    }

    /// Reads on until a line starts like this, and gives that line.
    public func awaitLine(startingWith start: String) throws -> String {
        while let line = readLine() {
            if line.hasPrefix(start) { return line }
        }
        throw Failure.noAnswer("a line that starts with \(start)")
    }

    // MARK: Life

    public func kill(_ signal: Int32) {
        state.withLock { state in
            // Once reaped, the number may be somebody else's.
            if state.ending == nil { Self.send(signal, to: processID) }
        }
    }

    private static func send(_ signal: Int32, to process: Int32) {
        #if canImport(Glibc)
            _ = Glibc.kill(process, signal)
        #else
            _ = Darwin.kill(process, signal)
        #endif
    }

    /// Kills the process and waits until it is gone.
    public func killAndReap() {
        kill(SIGKILL)
        _ = end()
    }

    /// Waits until the process has ended and says how.
    @discardableResult
    public func end() -> Ending {
        if let known = state.withLock({ $0.ending }) { return known }
        let ending = wait(0)
        state.withLock { $0.ending = ending }
        return ending
    }

    /// Waits until the process has been stopped by a signal, or has ended.
    public func awaitStop() -> Ending {
        let ending = wait(WUNTRACED)
        if ending != .stopped { state.withLock { $0.ending = ending } }
        return ending
    }

    /// Waits until the process has either been stopped by a signal (true) or said something (false), which then is
    /// the next line.
    public func awaitStopOrAnswer() -> Bool {
        while true {
            var status: Int32 = 0
            if unsafe waitpid(processID, &status, WUNTRACED | WNOHANG) > 0 { return status & 0xFF == 0x7F }
            var polled = pollfd(fd: fromChild.rawValue, events: Int16(POLLIN), revents: 0)
            if unsafe poll(&polled, 1, 2) > 0 { return false }
        }
    }

    private func wait(_ options: Int32) -> Ending {
        var status: Int32 = 0
        // Looked for rather than waited for, since a process that never ends would hold up the tests for ever.
        for _ in 0..<Self.patienceSeconds * 1000 {
            let found = unsafe waitpid(processID, &status, options | WNOHANG)
            if found < 0 && errno != EINTR { return .exited(-1) }
            if found > 0 { return Self.ending(status) }
            usleep(1000)
        }
        Self.send(SIGKILL, to: processID)
        while unsafe waitpid(processID, &status, 0) < 0 && errno == EINTR {}
        return .exited(-1)
    }

    /// As the macros of <sys/wait.h> do.
    private static func ending(_ status: Int32) -> Ending {
        if status & 0xFF == 0x7F { return .stopped }
        return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(status & 0x7F)
    }

    // MARK: Spawning

    private static let spawning = Mutex(())

    /// One at a time: a pipe's end must be close-on-exec before another child is born that would keep it open.
    private static func spawn(
        _ words: [String], _ variables: [String]
    ) throws -> (Int32, FileDescriptor, FileDescriptor) {
        try spawning.withLock { _ in
            let input = try FileDescriptor.pipe()
            let output = try FileDescriptor.pipe()
            for end in [input.readEnd, input.writeEnd, output.readEnd, output.writeEnd] {
                _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC)
            }
            defer {
                try? input.readEnd.close()
                try? output.writeEnd.close()
            }
            #if canImport(Darwin)
                var actions: posix_spawn_file_actions_t?
            #else
                var actions = unsafe posix_spawn_file_actions_t()
            #endif
            unsafe posix_spawn_file_actions_init(&actions)
            defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
            unsafe _ = posix_spawn_file_actions_adddup2(&actions, input.readEnd.rawValue, 0)
            unsafe _ = posix_spawn_file_actions_adddup2(&actions, output.writeEnd.rawValue, 1)
            // The threads that tests run on block signals and ignore some, and a child would inherit that.
            var attributes = posix_spawnattr_t()
            unsafe posix_spawnattr_init(&attributes)
            defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
            var none = sigset_t()
            var usual = sigset_t()
            unsafe sigemptyset(&none)
            unsafe sigemptyset(&usual)
            for number in [SIGTERM, SIGINT, SIGHUP, SIGSEGV] { unsafe sigaddset(&usual, number) }
            unsafe posix_spawnattr_setsigmask(&attributes, &none)
            unsafe posix_spawnattr_setsigdefault(&attributes, &usual)
            unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
            var arguments = unsafe words.map { unsafe strdup($0) }
            unsafe arguments.append(nil)
            var environment = unsafe variables.map { unsafe strdup($0) }
            unsafe environment.append(nil)
            defer { unsafe (arguments + environment).forEach { unsafe free($0) } }
            // A test process that ignores SIGPIPE passes that on, which does the helpers no harm.
            signal(SIGPIPE, SIG_IGN)
            var child: pid_t = 0
            let result = unsafe posix_spawnp(&child, arguments[0]!, &actions, &attributes, arguments, environment)
            if result != 0 {
                try? input.writeEnd.close()
                try? output.readEnd.close()
                throw Failure.spawning(result)
            }
            return (child, input.writeEnd, output.readEnd)
        }
    }
}
