import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A peer that follows only the naive protocol, as the reference runtime does. Written without RVFLock's code, so
/// that a mistake there is not made here too.
struct NaivePeer {
    let lockPath: String
    let hostName: [UInt8]
    private(set) var writerID: [UInt8] = []

    init(protecting path: String) {
        lockPath = path + ".lock"
        hostName = Self.findHostName()
    }

    private static func findHostName() -> [UInt8] {
        if let name = unsafe getenv("HOSTNAME"), unsafe strlen(name) > 0 { return unsafe Array(String(cString: name).utf8) }
        let file = contents(of: "/etc/hostname")
        let name = (file ?? []).filter { $0 > 0x20 }
        return name.isEmpty ? Array("unknown".utf8) : name
    }

    private static func contents(of path: String) -> [UInt8]? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(file, &bytes, bytes.count)
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    // MARK: The record

    private static func little(_ value: UInt64, bytes count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// CRC-32 (IEEE), bit by bit.
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var state: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            state ^= UInt32(byte)
            for _ in 0..<8 { state = state & 1 == 1 ? state >> 1 ^ 0xEDB8_8320 : state >> 1 }
        }
        return ~state
    }

    private static func wallNanoseconds() -> UInt64 {
        var time = timespec()
        unsafe _ = clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private func record() -> [UInt8] {
        let name = hostName.prefix(62)
        var bytes: [UInt8] = [0x46, 0x4C, 0x56, 0x52] + Self.little(UInt64(UInt32(getpid())), bytes: 4)
        bytes += name + [UInt8](repeating: 0, count: 64 - name.count)
        bytes += Self.little(Self.wallNanoseconds(), bytes: 8) + writerID + [1, 0, 0, 0]
        return bytes + Self.little(UInt64(Self.checksum(bytes)), bytes: 4)
    }

    // MARK: The protocol

    /// Creates the lock, or deletes one that looks stale and tries once more.
    mutating func acquire() -> Bool {
        writerID = (0..<16).map { _ in UInt8.random(in: 0...255) }
        if create() { return true }
        guard looksStale() else { return false }
        unsafe _ = unlink(lockPath)
        return create()
    }

    private func create() -> Bool {
        let file = unsafe open(lockPath, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o644)
        guard file >= 0 else { return false }
        defer { close(file) }
        let bytes = record()
        guard unsafe write(file, bytes, bytes.count) == bytes.count else { return false }
        fsync(file)
        return true
    }

    private func looksStale() -> Bool {
        guard let bytes = Self.contents(of: lockPath) else { return false }
        if bytes.count < 104 || bytes[0..<4] != [0x46, 0x4C, 0x56, 0x52] { return true }
        let now = Self.wallNanoseconds()
        let written = Self.number(bytes[0x48..<0x50])
        let age = now > written ? (now - written) / 1_000_000_000 : 0
        let name = bytes[0x08..<0x48].prefix { $0 != 0 }
        if name.elementsEqual(hostName.prefix(62)) {
            let process = pid_t(truncatingIfNeeded: Self.number(bytes[0x04..<0x08]))
            let isDead = kill(process, 0) != 0 && errno == ESRCH
            return isDead && age > 30
        }
        return age > 300
    }

    /// Whether the lock file still holds this peer's record.
    var stillHolds: Bool {
        guard let bytes = Self.contents(of: lockPath), bytes.count >= 104 else { return false }
        return Array(bytes[0x50..<0x60]) == writerID
    }

    func release() {
        if stillHolds { unsafe _ = unlink(lockPath) }
    }
}

/// `naive <path>`: takes the lock, says so, and gives it up when told.
func runNaiveSession(_ path: String) {
    var peer = NaivePeer(protecting: path)
    Lines.say("ready \(getpid())")
    while let line = Lines.next() {
        switch line {
        case "acquire": Lines.say(peer.acquire() ? "held" : "refused")
        case "check": Lines.say(peer.stillHolds ? "ok" : "lost")
        case "release":
            peer.release()
            Lines.say("ok")
        default: Lines.say("unknown")
        }
    }
}

/// `naive-speak -`: the lines of spec/conformance.md, from its page alone.
func runNaiveSpeaker() {
    var peer: NaivePeer?
    while let line = Lines.next() {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        switch words.first {
        case "acquire" where words.count == 2:
            var candidate = NaivePeer(protecting: words[1])
            let isOurs = candidate.acquire()
            if isOurs { peer = candidate }
            Lines.say(isOurs ? "ok guard=0" : "held")
        case "validate": Lines.say(peer?.stillHolds == true ? "ok" : "lost")
        case "release":
            peer?.release()
            Lines.say("ok")
        case "exit": return
        case "status": Lines.say("unsupported")
        default: Lines.say("error unknown request")
        }
    }
}

/// `naive-contend <path> log=… seconds=…`: takes and gives back as often as it can.
func runNaiveContender(_ path: String, _ settings: Settings) throws {
    let log = try IntervalLog(settings["log"] ?? "/dev/null")
    let end = monotonicNanoseconds() + Int64(settings.number("seconds", 1)) * 1_000_000_000
    var peer = NaivePeer(protecting: path)
    var (acquired, robbed) = (0, 0)
    while monotonicNanoseconds() < end {
        guard peer.acquire() else {
            usleep(useconds_t.random(in: 50...400))
            continue
        }
        log.begin()
        acquired += 1
        usleep(useconds_t.random(in: 0...UInt32(settings.number("hold", 300))))
        log.end()
        if !peer.stillHolds { robbed += 1 }
        peer.release()
        usleep(useconds_t.random(in: 0...300))
    }
    Lines.say("done acquired=\(acquired) robbed=\(robbed)")
}
