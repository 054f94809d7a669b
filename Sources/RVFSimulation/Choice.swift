/// What can happen next in a world.
package enum Choice: Hashable, Sendable {
    /// A process makes the step that it is about to make. `isPreemption`: another one could have gone on.
    case run(Int, isPreemption: Bool)
    /// A process is killed before its next step.
    case kill(Int)
    /// A process's next call fails with an I/O error.
    case fail(Int)
    case act(WorldAct)

    var isRun: Bool { if case .run = self { true } else { false } }
}

/// Says what happens next. Called by one thread at a time.
package protocol Chooser: AnyObject, Sendable {
    /// An index into the choices, or nil to end the run here.
    func choose(among choices: [Choice], in state: WorldState, current: Int?) -> Int?
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
