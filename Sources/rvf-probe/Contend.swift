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
        var loss: LockError?
        do throws(LockError) {
            try work(lock)
            try lock.validate()
        } catch {
            loss = error
        }
        // Before the lock goes, lost or not: even one that has lost its file keeps the kernel's lock until then, and
        // an error thrown past the handle would drop it first and end the interval too late.
        log.end()
        do throws(LockError) {
            try lock.release()
        } catch {
            loss = loss ?? error
        }
        if let loss { robbed.append("\(loss)") }
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

/// `churn <path> count=…`: publishes, renews and removes the lock; says when that is enough, goes on until its input
/// ends, and says how often it was.
func runChurn(_ path: FilePath, _ settings: Settings) throws {
    let enough = settings.number("count", 1000)
    var (published, renewed) = (0, 0)
    Lines.say("ready")
    while true {
        let lock = try WriterLock.acquire(protecting: path, options: LockOptions(renewal: .manual))
        published += 1
        for _ in 0..<Int.random(in: 0...4) {
            try lock.renew()
            renewed += 1
        }
        try lock.release()
        if published == enough { Lines.say("enough") }
        if published >= enough && published % 20 == 0 && Lines.isWaiting { break }
    }
    Lines.say("done published=\(published) renewed=\(renewed)")
}

/// `onlook <path> reads=…`: reads the lock file as a peer does; says when that is enough, goes on until its input
/// ends, and says what it saw.
struct Onlooker {
    private var absent = 0
    private var valid = 0
    private var bad = 0
    private var firstBad = ""
    private var bytes = [UInt8](repeating: 0, count: 256)

    mutating func run(_ path: FilePath, _ settings: Settings) {
        let lockPath = path.string + ".lock"
        let enough = settings.number("reads", 100_000)
        Lines.say("ready")
        for read in 1... {
            look(lockPath)
            if read == enough { Lines.say("enough") }
            if read >= enough && read % 1000 == 0 && Lines.isWaiting { break }
        }
        Lines.say("done absent=\(absent) valid=\(valid) bad=\(bad)\(firstBad)")
    }

    private mutating func look(_ lockPath: String) {
        let file = unsafe open(lockPath, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            absent += 1
            return
        }
        let count = unsafe read(file, &bytes, bytes.count)
        close(file)
        let stored = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[100 + $1]) << (8 * UInt32($1)) }
        let isMagic = bytes[0..<4] == [0x46, 0x4C, 0x56, 0x52]
        if count == 104 && isMagic && NaivePeer.checksum(bytes[0..<100]) == stored {
            valid += 1
            return
        }
        bad += 1
        if firstBad.isEmpty { firstBad = " first=\(count):\(bytes.prefix(max(count, 0)))" }
    }
}
