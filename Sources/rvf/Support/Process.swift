import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the command asks of its own process, and swift-system does not offer.
enum Process {
    static func exit(_ outcome: Outcome) -> Never {
        #if canImport(Glibc)
            Glibc.exit(outcome.rawValue)
        #else
            Darwin.exit(outcome.rawValue)
        #endif
    }

    /// A reader that goes away must show as an error of the write: dying of it would leave the lock behind.
    static func ignoreBrokenPipes() {
        _ = signal(SIGPIPE, SIG_IGN)
    }

    /// Started with a standard stream closed, the lock file could get that stream's number, and be written to by
    /// the next message.
    static func occupyStandardStreams() {
        for stream in 0..<Int32(3) where fcntl(stream, F_GETFD) == -1 {
            // The lowest free number is the stream's own, since the ones below it have been seen to.
            _ = unsafe open("/dev/null", O_RDWR)
        }
    }

    /// The program that runs, to start it again.
    static var ownPath: FilePath {
        // Linux says it; elsewhere the shell's word is found in the PATH again.
        let link = "/proc/self/exe"
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink(link, &bytes, bytes.count)
        let name = bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }
        return FilePath(count > 0 ? String(decoding: name, as: UTF8.self) : CommandLine.arguments[0])
    }

    /// Where the system keeps what is not for long.
    static var temporaryDirectory: FilePath {
        let variable = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) }
        return FilePath(variable.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp")
    }

    static func isTerminal(_ descriptor: FileDescriptor) -> Bool {
        isatty(descriptor.rawValue) == 1
    }

    /// Blocks the signals that ask a process to end, in this thread and all that it starts from now on, and returns
    /// them for ``awaitSignal(of:)``. Also those that a shell made a background process ignore; but a hang-up that
    /// is ignored (`nohup`) stays so.
    static func blockEndingSignals() -> [Int32] {
        var signals = [SIGTERM, SIGINT]
        let hangUp = signal(SIGHUP, SIG_DFL)
        let isIgnored = unsafe unsafeBitCast(hangUp, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
        if isIgnored {
            _ = signal(SIGHUP, SIG_IGN)
        } else {
            signals.append(SIGHUP)
        }
        for number in signals { _ = signal(number, SIG_DFL) }
        var set = signalSet(signals)
        _ = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        return signals
    }

    /// Waits until one of these blocked signals arrives.
    static func awaitSignal(of signals: [Int32]) {
        var set = signalSet(signals)
        var number: Int32 = 0
        while unsafe sigwait(&set, &number) != 0 {}
    }

    private static func signalSet(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in signals { unsafe sigaddset(&set, number) }
        return set
    }

    /// Waits until one of the descriptors can be read, or has come to its end, and says which of them; none when
    /// the time is over.
    static func awaitReadable(_ descriptors: [FileDescriptor], atMost limit: Duration?) -> [Bool] {
        var polled = descriptors.map { pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0) }
        // Rounded up, so that a caller's loop never spins through a last fraction; an hour at most at once.
        let milliseconds = limit.map { Int32(min(max(.zero, $0), .seconds(3600)) / .milliseconds(1)) + 1 } ?? -1
        let count = unsafe poll(&polled, nfds_t(polled.count), milliseconds)
        return polled.map { count > 0 && $0.revents != 0 }
    }
}
