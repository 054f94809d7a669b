import RVFLock
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// `contend <path> log=… [seconds=… | count=…] [wait=…] [hold=<µs>] [compact=1]`: takes the lock, looks whether it
/// still has it, gives it back, and so on; every interval goes into the log.
struct Contender {
    let path: FilePath
    let settings: Settings
    let log: IntervalLog
    private var acquired = 0
    private var refused = 0
    private var robbed: [String] = []

    init(_ path: FilePath, _ settings: Settings) throws {
        self.path = path
        self.settings = settings
        log = try IntervalLog(settings["log"] ?? "/dev/null")
    }

    mutating func run() {
        let seconds = settings["seconds"].flatMap { Int64($0) }
        let end = seconds.map { monotonicNanoseconds() + $0 * 1_000_000_000 } ?? .max
        let count = settings.number("count", .max)
        var options = LockOptions(renewal: settings["renewal"] == "automatic" ? .automatic : .manual)
        switch settings["wait"] {
        case "forever": options.wait = .forever
        case let text?: options.wait = Int(text).map { .atMost(.milliseconds($0)) } ?? .none
        case nil: options.wait = .atMost(.milliseconds(200))
        }
        while acquired < count && monotonicNanoseconds() < end {
            once(options)
            if settings["stops"] == "1" && Lines.isWaiting { break }
        }
        let first = robbed.first.map { " first=" + $0 } ?? ""
        Lines.say("done acquired=\(acquired) refused=\(refused) robbed=\(robbed.count)\(first)")
    }

    private mutating func once(_ options: LockOptions) {
        let lock: WriterLock
        do throws(LockError) {
            lock = try WriterLock.acquire(protecting: path, options: options)
        } catch {
            if case .held = error { refused += 1 } else { robbed.append("acquire: \(error)") }
            return
        }
        log.begin()
        acquired += 1
        do throws(LockError) {
            try work(lock)
            try lock.validate()
            log.end()
            try lock.release()
        } catch {
            log.end()
            robbed.append("\(error)")
        }
    }

    private func work(_ lock: borrowing WriterLock) throws(LockError) {
        let hold = UInt32(settings.number("hold", 200))
        if hold > 0 { usleep(useconds_t.random(in: 0...hold)) }
        if Int.random(in: 0..<4) == 0 { try lock.renew() }
        if settings["compact"] == "1" && Int.random(in: 0..<8) == 0 {
            let draft = try lock.draftProtectedFile()
            _ = try? draft.descriptor.writeAll(Array("compacted".utf8))
            try lock.publish(draft)
        }
    }
}

/// `churn <path>`: publishes, renews and removes the lock until its input ends, then says how often.
func runChurn(_ path: FilePath) throws {
    var (published, renewed) = (0, 0)
    Lines.say("ready")
    while !Lines.isWaiting || Lines.next() != nil {
        for _ in 0..<20 {
            let lock = try WriterLock.acquire(protecting: path, options: LockOptions(renewal: .manual))
            published += 1
            for _ in 0..<Int.random(in: 0...10) {
                try lock.renew()
                renewed += 1
            }
            try lock.release()
        }
    }
    Lines.say("done published=\(published) renewed=\(renewed)")
}

/// `onlook <path> reads=…`: reads the lock file as a peer does, and counts what it saw.
func runOnlooker(_ path: FilePath, _ settings: Settings) {
    let lockPath = path.string + ".lock"
    var (absent, valid, bad) = (0, 0, 0)
    var firstBad = ""
    var bytes = [UInt8](repeating: 0, count: 256)
    Lines.say("ready")
    for _ in 0..<settings.number("reads", 100_000) {
        let file = unsafe open(lockPath, O_RDONLY | O_CLOEXEC)
        if file < 0 {
            absent += 1
            continue
        }
        let count = unsafe read(file, &bytes, bytes.count)
        close(file)
        let stored = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[100 + $1]) << (8 * UInt32($1)) }
        let isMagic = bytes[0..<4] == [0x46, 0x4C, 0x56, 0x52]
        if count == 104 && isMagic && NaivePeer.checksum(bytes[0..<100]) == stored {
            valid += 1
        } else {
            bad += 1
            if firstBad.isEmpty { firstBad = " first=\(count):\(bytes.prefix(max(count, 0)))" }
        }
    }
    Lines.say("done absent=\(absent) valid=\(valid) bad=\(bad)\(firstBad)")
}
