package import SystemPackage

/// What can happen next in a world.
package enum Choice: Hashable, Sendable {
    /// A process makes the step that it is about to make. `isPreemption`: another one could have gone on.
    case run(Int, isPreemption: Bool)
    /// A process is killed before its next step.
    case kill(Int)
    /// A process's next call fails.
    case fail(Int, Errno)
    case act(WorldAct)
    /// A step that a process makes comes out so.
    case outcome(Int, Outcome)

    var isRun: Bool {
        switch self {
        case .run, .outcome: true
        case .kill, .fail, .act: false
        }
    }
}

/// How a call comes out where the system leaves more than one way.
package enum Outcome: Hashable, Sendable {
    /// By what the server has.
    case fresh
    /// By what the host has in its cache.
    case cached
    /// By what the server has once it has got what another host had written and not synced.
    case writtenBack
    /// What was asked for is done, and the reply is lost: a repetition, or a time-out, is reported.
    case replyLost(Errno)
}

/// Says what happens next. Called by one thread at a time.
package protocol Chooser: AnyObject, Sendable {
    /// An index into the choices, or nil to end the run here.
    func choose(among choices: [Choice], in state: WorldState, current: Int?) -> Int?
    /// What happens next, where that is known without a look at the state: everything went the same way before.
    func known() -> Choice?
}

extension Chooser {
    package func known() -> Choice? { nil }
}

/// What a process is about to do, as far as the order of steps is concerned.
struct StepKind: CustomStringConvertible, Sendable {
    var name: String
    /// Whether another process could notice the step, or be noticed by it. What nobody can notice needs no choice of
    /// who goes first.
    var isVisible: Bool
    var canFail: Bool
    /// The call as whoever watches the process sees it; nil where it is none that the code makes.
    var made: HostCall?

    var description: String { name }

    /// A shortage is met by calls that need something, not by looks.
    func canGive(_ error: Errno) -> Bool {
        guard error == .noSpace || error == .diskQuotaExceeded else { return true }
        return ["open", "write", "link", "linkat", "fsync"].contains(name)
    }

    static let start = StepKind(name: "its start", isVisible: true, canFail: false)
    static let exit = StepKind(name: "its end", isVisible: true, canFail: false, made: .exit)

    static func call(_ name: String, isVisible: Bool = true, canFail: Bool = true) -> StepKind {
        StepKind(name: name, isVisible: isVisible, canFail: canFail && isVisible)
    }

    func making(_ call: HostCall) -> StepKind {
        var kind = self
        kind.made = call
        return kind
    }
}
