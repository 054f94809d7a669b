import RVFLock
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The raw call, which Swift hides because little of a threaded process survives in the child. Here the child does
/// only what the lock promises to bear there.
@_silgen_name("fork") private func rawFork() -> pid_t

/// `life <path> how=…`: how processes end, and what their children may do, with the public handle and its timer.
struct Life {
    let path: FilePath
    let settings: Settings

    private struct Uncaught: Error {}

    func run() throws {
        let lock = try WriterLock.acquire(protecting: path)
        Lines.say("held \(lock.writerID)")
        switch settings["how"] ?? "exit" {
        case "exit": exit(0)
        case "throw": throw Uncaught()
        case "abort": abort()
        case "trap": preconditionFailure("a crash that a test asked for")
        case "wait": while Lines.next() != nil {}
        case "deinit": forget(lock)
        case "fork": forkAndLook(lock)
        case "orphan": orphan(lock)
        case "child": try handOverToChild(lock)
        case "spawn": Lines.say("child ended with \(wait(for: try spawnSelf(["descriptors", path.string], [])))")
        default: Lines.say("unknown way")
        }
        Lines.say("ended")
        while Lines.next() != nil {}
    }

    private func forget(_ lock: consuming WriterLock) {}

    private func outcome(of lock: borrowing WriterLock) -> String {
        do throws(LockError) {
            try lock.validate()
            return "ok"
        } catch {
            return "\(error)"
        }
    }

    private func released(_ lock: consuming WriterLock) -> String {
        do throws(LockError) {
            try lock.release()
            return "ok"
        } catch {
            return "\(error)"
        }
    }

    // MARK: Fork

    /// Children that end in every way there is; after each the parent looks whether it still has the lock, and the
    /// test looks from outside before it sends a line.
    private func forkAndLook(_ lock: consuming WriterLock) {
        for way in ["exit", "_exit", "exec", "validate", "release", "forget", "acquire", "kill"] {
            let child = rawFork()
            if child == 0 { inChild(way, lock) }
            _ = wait(for: child)
            Lines.say("parent after \(way): \(outcome(of: lock))")
            _ = Lines.next()
        }
        Lines.say("parent released: \(released(lock))")
    }

    private func inChild(_ way: String, _ lock: consuming WriterLock) -> Never {
        switch way {
        case "exit": exit(0)
        case "exec": executeTrue()
        case "validate": Lines.say("child validates: \(outcome(of: lock))")
        case "release": Lines.say("child releases: \(released(lock))")
        case "forget": forget(lock)
        case "acquire": Lines.say("child acquires: \(acquired())")
        case "kill": kill(getpid(), SIGKILL)
        default: break
        }
        _exit(0)
    }

    private func acquired() -> String {
        do throws(LockError) {
            _ = try WriterLock.acquire(protecting: path)
            return "got it"
        } catch {
            return "\(error)"
        }
    }

    private func executeTrue() {
        guard let program = unsafe strdup("/bin/true") else { return }
        var words: [UnsafeMutablePointer<CChar>?] = unsafe [program, nil]
        unsafe _ = execv(program, &words)
    }

    /// The parent ends while a child that it forked keeps the descriptors, until a line comes.
    private func orphan(_ lock: consuming WriterLock) {
        if rawFork() == 0 {
            Lines.say("child \(getpid())")
            _ = Lines.next()
            _exit(0)
        }
        kill(getpid(), SIGKILL)
    }

    private func wait(for child: pid_t) -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
        return status
    }

    // MARK: Children by spawn

    /// Starts this program anew; the pairs say which descriptor becomes which in the child. Nothing else is said,
    /// so the child has whatever is not close-on-exec.
    private func spawnSelf(_ words: [String], _ inherited: [(from: Int32, to: Int32)]) throws -> pid_t {
        var arguments = unsafe ([CommandLine.arguments[0]] + words).map { unsafe strdup($0) }
        unsafe arguments.append(nil)
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = unsafe posix_spawn_file_actions_t()
        #endif
        unsafe posix_spawn_file_actions_init(&actions)
        for pair in inherited { unsafe _ = posix_spawn_file_actions_adddup2(&actions, pair.from, pair.to) }
        var child: pid_t = 0
        let result = unsafe posix_spawn(&child, arguments[0]!, &actions, nil, arguments, environ)
        unsafe posix_spawn_file_actions_destroy(&actions)
        if result != 0 { throw Errno(rawValue: result) }
        return child
    }

    /// Over a socket pair of which the child inherits one end and the parent keeps the other.
    private func handOverToChild(_ lock: consuming WriterLock) throws {
        var ends: [Int32] = [-1, -1]
        #if os(Linux)
            let kind = Int32(SOCK_STREAM.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Errno(rawValue: errno) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let target = ends[1] == 7 ? Int32(8) : 7
        let words = ["session", path.string, "adopt-fd=\(target)"] + (settings["child"].map { [$0] } ?? [])
        let child = try spawnSelf(words, [(ends[1], target)])
        close(ends[1])
        switch try lock.handOver(over: FileDescriptor(rawValue: ends[0])) {
        case .handedOver: Lines.say("handed-over")
        case .kept(let lock, let why): Lines.say("kept \(outcome(of: lock)) \(why)")
        }
        Lines.say("child ended with \(wait(for: child))")
    }
}

/// `descriptors <path>`: says which descriptors beyond the three standard ones it was born with.
func runDescriptors() {
    var found: [String] = []
    for descriptor in Int32(3)..<256 where fcntl(descriptor, F_GETFD) >= 0 { found.append("\(descriptor)") }
    Lines.say("descriptors [\(found.joined(separator: " "))]")
}
