import ArgumentParser
import RVFLock
import SystemPackage

struct LockHold: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hold",
        abstract: "Take the lock and keep it until told otherwise.",
        discussion: """
            Prints `held <writer id>` once the lock is held; then keeps it until the time is over, until SIGTERM, \
            SIGINT or SIGHUP, or until it is handed over. The file need not exist.

            \(Outcome.help)
            """)

    @Argument(help: "The file that the lock protects.")
    var file: FilePath
    @Option(help: ArgumentHelp("Wait at most this long for a lock that is held.", valueName: "seconds"))
    var wait: Seconds?
    @OptionGroup var holding: HoldingOptions
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let interruption = try Interruption()
        let lock: WriterLock
        do throws(LockError) {
            lock = try WriterLock.acquire(
                protecting: file, options: .command(output.console, interruption, wait: wait?.duration))
        } catch {
            throw Failure(error)
        }
        try Holding(file: file, options: holding, console: output.console, interruption: interruption).run(lock)
    }
}

extension LockOptions {
    /// How every subcommand takes the lock: a signal ends the wait, and people hear what happens.
    static func command(_ console: Console, _ interruption: Interruption, wait: Duration?) -> LockOptions {
        LockOptions(
            wait: wait.map { .atMost($0) } ?? .none, cancellation: interruption.cancellation,
            observer: { console.note($0) })
    }
}

extension Console {
    /// Says what a person would want to know of: not the routine of a lock.
    func note(_ event: LockEvent) {
        switch event {
        case .waiting(let obstacle):
            note("waiting: \(obstacle)", json: .object([("event", "waiting"), ("holder", .holder(obstacle.holder))]))
        case .takenOver(let holder, let reason):
            let whose = holder.map { "of \($0)" } ?? "that nobody could be read from"
            note(
                "took over the stale lock \(whose): \(reason.explanation)",
                json: .object([
                    ("event", "takenOver"), ("holder", .holder(holder)), ("evidence", .string(reason.word)),
                ]))
        case .renewalFailed(let error):
            note("\(error)", json: .object([("event", "renewalFailed"), ("message", .string("\(error)"))]))
        case .acquired, .renewed, .lost, .handedOver, .adopted, .released: break
        }
    }
}

extension JSON: ExpressibleByStringLiteral {
    init(stringLiteral text: String) { self = .string(text) }
}

extension StaleReason {
    /// Why, in a clause for people who see the lock taken over.
    var explanation: String {
        switch self {
        case .guardReleased: "its kernel lock is free, so that process is gone"
        case .processDead: "that process is gone"
        case .otherHostOld: "that host has not renewed it for too long"
        case .emptyOld: "the lock file stood empty for too long"
        case .malformed(let problems): "it is no lock record (\(problems))"
        }
    }
}
