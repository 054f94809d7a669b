import RVFLock
import SystemPackage

/// What a script can act on. Also in the help and in the README.
enum Outcome: Int32 {
    case done = 0
    case failed = 1
    case usage = 2
    case heldByAnother = 3
    case lost = 4
    case damaged = 5

    static let help = """
        Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the lock is held by another, \
        4 the lock was lost, 5 the file is damaged.
        """
}

/// Why a command ends early: for people in words, for scripts in a code.
struct Failure: Error {
    var outcome: Outcome
    /// One word for scripts; stable.
    var code: String
    var message: String
    /// What else belongs into the JSON form.
    var details: [(name: String, value: JSON)] = []
    /// Further lines for people, such as one that points at a place.
    var excerpt: String?

    init(_ outcome: Outcome, code: String, _ message: String, details: [(name: String, value: JSON)] = []) {
        self.outcome = outcome
        self.code = code
        self.message = message
        self.details = details
    }

    /// A mistake in the arguments that only showed at run time.
    static func usage(_ message: String) -> Failure { Failure(.usage, code: "usage", message) }

    /// Nobody reads our output any more. There is nobody to tell, so nothing is said.
    static let outputClosed = Failure(.failed, code: "outputClosed", "")

    /// A signal asked for the end.
    static let interrupted = Failure(.failed, code: "cancelled", "interrupted")

    /// The first letter small and no full stop, since `rvf: ` goes before.
    var line: String {
        message.hasSuffix(".") ? String(message.dropLast()) : message
    }

    var json: JSON {
        .object([
            ("error", .object([("code", .string(code)), ("message", .string(line))] + details))
        ])
    }
}

extension Failure {
    init(_ error: LockError) {
        let message = "\(error)"
        switch error {
        case .held(let obstacle):
            self.init(.heldByAnother, code: "held", message, details: [("holder", .holder(obstacle.holder))])
        case .holderAlive(let obstacle):
            self.init(
                .heldByAnother, code: "holderAlive", message + "; --force breaks it all the same",
                details: [("holder", .holder(obstacle.holder))])
        case .lost(let reason, _):
            self.init(.lost, code: "lost", message, details: [("reason", .string(reason.word))])
        case .otherWriter(_, let holder):
            self.init(.failed, code: "otherWriter", message, details: [("holder", .holder(holder))])
        case .cancelled: self.init(.failed, code: "cancelled", message)
        case .notLocked: self.init(.failed, code: "notLocked", message)
        case .handedOver: self.init(.failed, code: "handedOver", message)
        case .handOverFailed: self.init(.failed, code: "handOverFailed", message)
        case .notAFile: self.init(.failed, code: "notAFile", message)
        case .invalidPath: self.init(.failed, code: "invalidPath", message)
        case .protectedFileExists: self.init(.failed, code: "exists", message)
        case .hardLinked: self.init(.failed, code: "hardLinked", message)
        case .system(_, _, let error):
            self.init(.failed, code: "system", message, details: [("errno", .integer(Int64(error.rawValue)))])
        }
    }
}
