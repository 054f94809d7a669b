import RVFHost
import RVFLock
package import SystemPackage

/// Why a scenario ends early.
package enum ScenarioEnd: Error {
    case failed(String)
    case notApplicable(String)
    case cancelled

    static func kit(_ call: String, _ number: Int32) -> ScenarioEnd {
        .failed("the kit's own \(call) failed: \(Errno(rawValue: number))")
    }
}

/// What the kit is to do.
package struct LockKitOptions: Sendable {
    /// The program under test and its arguments.
    package var command: [String]
    /// One that speaks the same lines, to contend with; none if nil.
    package var ownCommand: [String]?
    /// Where the scenarios' directories are made: it decides on the file system.
    package var directory: FilePath
    package var answerLimit = Duration.seconds(10)
    /// How long each scenario of contention goes on.
    package var contention = Duration.seconds(5)
    package var contenderCount = 4
    package var isCancelled: @Sendable () -> Bool = { false }

    package init(command: [String], ownCommand: [String]?, directory: FilePath) {
        self.command = command
        self.ownCommand = ownCommand
        self.directory = directory
    }
}

/// What is known of an implementation once it has had the lock.
struct Introduction {
    var hostName: [UInt8]
    var isGuarded: Bool
}

/// The place of one scenario: a directory, and the processes that it started.
final class LockBench {
    let options: LockKitOptions
    let directory: FilePath
    let introduction: Introduction
    private(set) var peers: [PeerProcess] = []
    private var deadProcess: UInt32?

    var path: FilePath { directory.appending("data.rvf") }
    var lockPath: FilePath { directory.appending("data.rvf.lock") }
    var limits: PeerLimits { PeerLimits(answer: options.answerLimit, isCancelled: options.isCancelled) }

    init(_ options: LockKitOptions, _ introduction: Introduction) throws(ScenarioEnd) {
        self.options = options
        self.introduction = introduction
        let number = UInt64.random(in: 0...UInt64.max)
        directory = options.directory.appending("rvf-conformance-" + String(number, radix: 16))
        try BenchFiles.makeDirectory(directory)
        try BenchFiles.put(Array("protected".utf8), at: path)
    }

    deinit {
        for peer in peers { peer.kill() }
        BenchFiles.removeAll(in: directory)
    }

    /// Starts a copy of the implementation under test.
    func start() throws(ScenarioEnd) -> PeerProcess {
        try start(options.command, name: "process \(peers.count + 1)")
    }

    func start(_ command: [String], name: String) throws(ScenarioEnd) -> PeerProcess {
        let peer = try PeerProcess(command, name: name, limits: limits)
        peers.append(peer)
        return peer
    }

    func sleep(_ duration: Duration) throws(ScenarioEnd) {
        try limits.check()
        POSIXHost().sleep(nanoseconds: Int64(duration / .nanoseconds(1)))
    }

    // MARK: Records

    func context() throws(ScenarioEnd) -> StoredContext {
        if deadProcess == nil { deadProcess = try gone() }
        var id: [UInt8] = []
        for _ in 0..<16 { id.append(.random(in: 0...255)) }
        return StoredContext(
            deadProcess: deadProcess ?? 0, liveProcess: UInt32(POSIXHost().processID), hostName: introduction.hostName,
            nowNanoseconds: UInt64(POSIXHost().wallClockNanoseconds()), writerID: WriterID(bytes: id)!)
    }

    /// The number of a process that is gone.
    private func gone() throws(ScenarioEnd) -> UInt32 {
        let process = try PeerProcess(["/bin/sh", "-c", ":"], name: "a shell", limits: limits)
        _ = try process.ends()
        process.kill()
        return UInt32(process.processID)
    }

    /// Puts a record into the lock file's place, and gives its bytes.
    @discardableResult
    func place(_ recipe: RecordRecipe, fileAgeSeconds: Int64? = nil) throws(ScenarioEnd) -> [UInt8] {
        let bytes = recipe.bytes(in: try context())
        try BenchFiles.put(bytes, at: lockPath, ageSeconds: fileAgeSeconds ?? max(0, recipe.ageSeconds))
        return bytes
    }

    var lockBytes: [UInt8]? { BenchFiles.contents(of: lockPath) }

    /// The record that a holder left there, checked in every field.
    @discardableResult
    func checkRecord(of peer: PeerProcess, _ answer: PeerAnswer) throws(ScenarioEnd) -> LockRecord {
        guard let bytes = lockBytes else { throw .failed("there is no lock file while \(peer.name) holds the lock") }
        let reading = LockRecordReading(bytes)
        guard let record = reading.record, reading.problems == [] else {
            throw .failed("the lock file of \(bytes.count) bytes holds no good record: \(reading.problems)")
        }
        if !peer.owns(record.processID) {
            throw .failed("the record names process \(record.processID), but \(peer.name) is \(peer.processID)")
        }
        let age = Double(POSIXHost().wallClockNanoseconds()) - Double(record.timestampNanoseconds)
        // A renewal may lie 8.6 s back; and the answer may have taken its time.
        if age < -1e9 || age > 20e9 {
            throw .failed("the record's timestamp is \((age / 1e9).rounded()) s old, straight after the acquisition")
        }
        let field = LockRecord.Layout.hostName
        let tail = bytes[(field.offset + record.hostName.count)..<LockRecord.Layout.guardByte.offset]
        if record.hostName.count > LockRecord.longestHostNameBytes || tail.contains(where: { $0 != 0 }) {
            throw .failed("the host name's field is not a name of at most 62 bytes and zeros")
        }
        if record.writerID.bytes.allSatisfy({ $0 == 0 }) { throw .failed("the writer id is all zeros") }
        try checkGuard(bytes[LockRecord.Layout.guardByte.offset], answer)
        return record
    }

    private func checkGuard(_ byte: UInt8, _ answer: PeerAnswer) throws(ScenarioEnd) {
        guard byte <= 1 else { throw .failed("the guard byte is \(byte), which means nothing") }
        if let declared = answer.value(of: "guard"), declared != "\(byte)" {
            throw .failed("the guard byte is \(byte), where `guard=\(declared)` was declared")
        }
        if byte == 1, BenchFiles.isKernelLocked(lockPath) == false {
            throw .failed("the guard byte is 1, but nobody has the kernel lock (flock) of the lock file")
        }
    }

    // MARK: Steps that many scenarios take

    @discardableResult
    func acquire(_ peer: PeerProcess) throws(ScenarioEnd) -> PeerAnswer {
        let answer = try peer.ask(.acquire(path.string))
        guard answer.word == .ok else { throw .failed("\(peer.name) did not get the free lock: “\(answer.line)”") }
        return answer
    }

    /// For locks that a process which was killed a moment ago may hold on to for as long as it takes it to go.
    func acquireSoon(_ peer: PeerProcess) throws(ScenarioEnd) {
        let end = ContinuousClock.now + .seconds(2)
        while true {
            let answer = try peer.ask(.acquire(path.string))
            if answer.word == .ok { return }
            if ContinuousClock.now > end {
                throw .failed("\(peer.name) did not get a lock that nobody has, for 2 s: “\(answer.line)”; " + lockText)
            }
            try sleep(.milliseconds(20))
        }
    }

    func release(_ peer: PeerProcess) throws(ScenarioEnd) {
        let answer = try peer.ask(.release)
        guard answer.word == .ok else { throw .failed("\(peer.name) released by “\(answer.line)”") }
        if BenchFiles.kind(of: lockPath) != nil { throw .failed("the release left the lock file: " + lockText) }
    }

    /// What stands in the lock file, for evidence.
    var lockText: String {
        guard let bytes = lockBytes else { return "there is no lock file" }
        let reading = LockRecordReading(bytes)
        guard let record = reading.record else { return "the lock file has \(bytes.count) bytes and no record" }
        let age = (Double(POSIXHost().wallClockNanoseconds()) - Double(record.timestampNanoseconds)) / 1e9
        return "the lock file names process \(record.processID), \(Int(age)) s old, guard byte \(record.isGuarded ? 1 : 0)"
    }
}
