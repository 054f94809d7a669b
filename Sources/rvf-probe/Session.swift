import RVFHost
import RVFLock
import Synchronization
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The names of the events that a lock's observer was told, in order. Safe to use from any thread.
final class EventLog: Sendable {
    private let names = Mutex<[String]>([])

    func append(_ event: LockEvent) {
        let name = String("\(event)".prefix { $0 != "(" })
        names.withLock { $0.append(name) }
    }

    var text: String { names.withLock { $0.joined(separator: " ") } + "." }
}

/// A process that does what the lines on its standard input say, one line of answer each.
final class Session {
    let path: FilePath
    var settings: Settings
    let interference = Interference()
    let events = EventLog()
    var held: HeldLock<ProbeHost>?
    var host: ProbeHost { ProbeHost(interference) }

    init(path: FilePath, settings: Settings) {
        self.path = path
        self.settings = settings
    }

    func run() {
        if let descriptor = settings["adopt-fd"].flatMap({ Int32($0) }) {
            Lines.say(adopt { FileDescriptor(rawValue: descriptor) })
        } else {
            Lines.say("ready \(getpid())")
        }
        while let line = Lines.next() {
            let words = line.split(separator: " ").map(String.init)
            guard let command = words.first else { continue }
            Lines.say(answer(command, Array(words.dropFirst())))
        }
        // The end of the input is no release: the lock stays with the process until it dies, as in a crash.
        _exit(0)
    }

    var options: LockOptions {
        var options = LockOptions()
        switch settings["wait"] {
        case nil, "none": options.wait = .none
        case "forever": options.wait = .forever
        case let text?: options.wait = .atMost(.milliseconds(Int(text) ?? 0))
        }
        options.renewal = settings["renewal"] == "manual" ? .manual : .automatic
        if let settle = settings["settle"].flatMap({ Int($0) }) { options.settle = .milliseconds(settle) }
        if settings["rules"] == "owner" { options.rules = .ownerLease }
        if let name = settings["identity"] { options.identity = HostIdentity(name: name) }
        let tellsWaiting = settings["tell"] == "waiting"
        options.observer = { [events] event in
            if tellsWaiting, case .waiting = event { Lines.say("waiting") }
            events.append(event)
        }
        return options
    }

    private func answer(_ command: String, _ words: [String]) -> String {
        switch command {
        case "acquire": acquire()
        case "validate": attempt { lock throws(LockError) in try lock.validate() }
        case "renew": attempt { lock throws(LockError) in try lock.renew() }
        case "release": release()
        case "drop": drop()
        case "draft": attempt { lock throws(LockError) in try self.publish(lock, words) }
        case "handover": handOver(FilePath(words[0]))
        case "adopt": adopt { [host] () throws(Errno) in try host.connect(to: FilePath(words[0])) }
        case "status": "\(LockStatus(of: path))"
        default: control(command, words)
        }
    }

    /// What changes the process rather than the lock.
    private func control(_ command: String, _ words: [String]) -> String {
        let number = words.last.flatMap { Int($0) } ?? 0
        switch command {
        case "set": settings.set(words[0])
        case "kill-at": interference.arm(.kill, afterCalls: number)
        case "stop-at": interference.arm(.stop, afterCalls: number)
        case "disarm": interference.disarm()
        case "calls": return "\(interference.callCount)"
        case "wakings": return "\(interference.wakings.load(ordering: .relaxed))"
        case "waking-only": interference.waitsForWakingOnly.store(true, ordering: .relaxed)
        case "boot": interference.bootOffset.store(Int64(number) * 1_000_000_000, ordering: .relaxed)
        case "wall": interference.wallOffset.store(Int64(number) * 1_000_000_000, ordering: .relaxed)
        case "events": return events.text
        case "become": return become(UInt32(number))
        case "nofile": return limitFiles(UInt(number))
        case "fds": return "\(openDescriptors())"
        case "umask": umask(mode_t(number))
        case "exit": exit(0)
        case "abort": abort()
        case "trap": preconditionFailure("a crash that a test asked for")
        default: return "unknown command \(command)"
        }
        return "ok"
    }

    // MARK: The lock

    private func acquire() -> String {
        do throws(LockError) {
            held = try HeldLock.acquire(host: host, registry: .shared, protecting: path, options: options)
            return "held \(held!.writerID)"
        } catch {
            return describe(error)
        }
    }

    private func attempt(_ body: (HeldLock<ProbeHost>) throws(LockError) -> Void) -> String {
        guard let held else { return "error no lock here" }
        do throws(LockError) {
            try body(held)
            return "ok"
        } catch {
            return describe(error)
        }
    }

    private func release() -> String {
        let answer = attempt { lock throws(LockError) in try lock.release() }
        held = nil
        return answer
    }

    /// As a program does that forgets its lock.
    private func drop() -> String {
        held = nil
        return "ok"
    }

    private func publish(_ lock: HeldLock<ProbeHost>, _ words: [String]) throws(LockError) {
        let draft = try lock.draftProtectedFile()
        _ = try? draft.descriptor.writeAll(Array((words.first ?? "content").utf8))
        try lock.publish(draft)
    }

    func describe(_ error: LockError) -> String {
        switch error {
        case .held(let obstacle): "refused \(obstacle.kind) | \(obstacle)"
        case .lost(let reason, _): "lost \(reason) | \(error)"
        case .handedOver: "handed-over | \(error)"
        case .system(let operation, _, let errno): "system \(operation) \(errno.rawValue) | \(error)"
        default: "error \(error)"
        }
    }

    // MARK: Hand-over

    private func handOver(_ socketPath: FilePath) -> String {
        guard let held else { return "error no lock here" }
        do throws(Errno) {
            let listener = try host.listen(at: socketPath)
            defer { host.close(listener) }
            Lines.say("listening")
            let connection = try host.accept(listener)
            defer { host.close(connection) }
            // Best effort, and none of the hand-over's calls: the next listener needs the name.
            _ = Self.remove(socketPath)
            do throws(LockError) {
                switch try held.handOver(over: connection) {
                case .handedOver: return "handed-over"
                case .kept(let why): return "kept \(why)"
                }
            } catch {
                return describe(error)
            }
        } catch {
            return "error \(error)"
        }
    }

    private static func remove(_ path: FilePath) -> Int32 {
        unsafe path.withPlatformString { unsafe unlink($0) }
    }

    private func adopt(_ connect: () throws(Errno) -> FileDescriptor) -> String {
        do throws(Errno) {
            let socket = try connect()
            defer { host.close(socket) }
            do throws(LockError) {
                held = try HeldLock.adopt(
                    host: host, registry: .shared, protecting: path, over: socket, options: options)
                return "adopted \(held!.writerID)"
            } catch {
                return describe(error)
            }
        } catch {
            return "error \(error)"
        }
    }

    // MARK: The process

    /// Drops root's privileges for good.
    private func become(_ user: UInt32) -> String {
        guard setgroups(0, nil) == 0, setgid(user) == 0, setuid(user) == 0 else { return "error \(errno)" }
        return "ok"
    }

    private func limitFiles(_ count: UInt) -> String {
        var limit = rlimit()
        guard unsafe getrlimit(Self.fileLimit, &limit) == 0 else { return "error \(errno)" }
        limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
        return unsafe setrlimit(Self.fileLimit, &limit) == 0 ? "ok" : "error \(errno)"
    }

    #if os(Linux)
        private static let fileLimit = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let fileLimit = RLIMIT_NOFILE
    #endif
}

/// How many descriptors this process has open.
func openDescriptors() -> Int {
    (0..<Int32(1024)).count { fcntl($0, F_GETFD) >= 0 }
}
