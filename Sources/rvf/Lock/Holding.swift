import ArgumentParser
import RVFLock
import SystemPackage

struct HoldingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Release after this time; keep it without end if not given.", valueName: "seconds"))
    var seconds: Seconds?
    @Option(
        help: ArgumentHelp(
            "Listen at this path, which must be free, and hand the lock to whoever runs `rvf lock adopt` there.",
            valueName: "socket"))
    var handOver: FilePath?
}

/// Keeps a lock until the time is over, a signal asks for the end, it is handed over, or it is lost.
struct Holding {
    let file: FilePath
    let options: HoldingOptions
    let console: Console
    let interruption: Interruption

    /// How often it is looked whether the lock is still ours.
    private static let validationInterval = Duration.seconds(1)

    func run(_ lock: consuming WriterLock) throws(Failure) {
        let clock = ContinuousClock()
        let end = options.seconds.map { clock.now + $0.duration }
        // Before `held` is said, so that whoever reads it can connect.
        let listener = try options.handOver.map { (path) throws(Failure) in try HandOverListener(at: path) }
        defer { listener?.close() }
        let id = lock.writerID
        try console.say("held \(id)", json: event("held", id))
        while true {
            let left = end.map { $0 - clock.now }
            if let left, left <= .zero { return try release(lock) }
            let slice = min(left ?? Self.validationInterval, Self.validationInterval)
            switch interruption.awaitReadable(listener?.socket, atMost: slice) {
            case .interrupted: return try release(lock)
            case .timeOver: try validate(lock)
            case .readable:
                guard let kept = try handOver(lock, listener) else {
                    return try console.say("handed over", json: event("handedOver", id))
                }
                lock = kept
            }
        }
    }

    private func event(_ word: String, _ id: WriterID) -> JSON {
        .object([("event", .string(word)), ("path", .string(file.string)), ("writerID", .string(id.description))])
    }

    private func validate(_ lock: borrowing WriterLock) throws(Failure) {
        do throws(LockError) {
            try lock.validate()
        } catch {
            if case .lost = error { throw Failure(error) }
            // Not final: the next look may succeed.
            console.report(Failure(error))
        }
    }

    private func release(_ lock: consuming WriterLock) throws(Failure) {
        let id = lock.writerID
        do throws(LockError) {
            try lock.release()
        } catch {
            throw Failure(error)
        }
        try console.say("released", json: event("released", id))
    }

    /// Nil once the lock is the other's; the lock if it stays.
    private func handOver(
        _ lock: consuming WriterLock, _ listener: HandOverListener?
    ) throws(Failure) -> WriterLock? {
        guard let visitor = try listener?.accept() else { return lock }
        defer { listener?.dismiss(visitor) }
        let outcome: HandOverOutcome
        do throws(LockError) {
            // There is no way back while the other has not answered. Ending then is safe: either it confirms, or
            // the next writer finds a dead holder's lock.
            outcome = try Self.handOver(lock, over: visitor, interruption)
        } catch {
            throw Failure(error)
        }
        switch consume outcome {
        case .handedOver: return nil
        case .kept(let lock, let why):
            console.note(
                "still held: \(why)", json: .object([("event", "kept"), ("message", .string(why))]))
            return lock
        }
    }

    private static func handOver(
        _ lock: consuming WriterLock, over visitor: FileDescriptor, _ interruption: Interruption
    ) throws(LockError) -> HandOverOutcome {
        interruption.beginExiting(.done)
        defer { interruption.endExiting() }
        return try lock.handOver(over: visitor)
    }
}
