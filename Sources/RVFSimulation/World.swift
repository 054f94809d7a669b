import Dispatch
import RVFHost
import Synchronization
import SystemPackage

/// A simulated world in motion: its processes run the code that ships, each on a thread of its own, one at a time. At
/// every call to the system that another process could notice, the chooser says who goes on, or what else happens.
///
/// A killed process's thread is not stopped: its calls do nothing any more and fail, until its code has come to its end.
// The state is touched only by the thread whose turn it is, and turns are handed over through semaphores, which order
// what was written before with what is read after. A killed process's thread reads only its own seat's atomic flag.
package final class World: @unchecked Sendable {
    package struct Actor: Sendable {
        package var name: String
        package var machine: Int
        /// A process of this kind makes its next step within so long, unless it sleeps; nil for any time.
        package var patienceNanoseconds: Int64?
        package var isPeer: Bool
        /// The end of a pair of sockets that it begins with.
        package var socketEnd: Int?
        package var userID: UInt32 = 1000
        /// Its id on its machine; nil for one of its own.
        package var processID: Int32?
        package var body: @Sendable (SimulatedHost) -> Void

        package init(
            name: String, machine: Int = 0, patienceNanoseconds: Int64? = nil, isPeer: Bool = false,
            socketEnd: Int? = nil, body: @escaping @Sendable (SimulatedHost) -> Void
        ) {
            self.name = name
            self.machine = machine
            self.patienceNanoseconds = patienceNanoseconds
            self.isPeer = isPeer
            self.socketEnd = socketEnd
            self.body = body
        }
    }

    private final class Seat: Sendable {
        let turn = DispatchSemaphore(value: 0)
        let isGhost = Atomic(false)
        /// Nanoseconds that seem to pass for a ghost, so that it comes to the end of what it waits for.
        let ghostNanoseconds = Atomic<Int64>(0)
    }

    package private(set) var state: WorldState
    /// What happened, for people; nil where nobody wants to know.
    package var trace: [String]?
    package private(set) var isAborted = false
    private var isViolationTold = false
    /// What the explorer has to say at each choice.
    private let chooser: Relay
    private var actors: [Actor] = []
    private var seats: [Seat] = []
    private var failsNext: [Int: Errno] = [:]
    /// What each process is about to do.
    private var pending: [StepKind] = []
    private let finished = DispatchSemaphore(value: 0)
    /// Follows what each process does; nil where nobody does.
    var watch: StepWatch?
    /// Looks at the state after every step; a text is a violation.
    private let invariant: @Sendable (WorldState) -> String?

    init(
        state: WorldState, chooser: Relay, isTraced: Bool,
        invariant: @escaping @Sendable (WorldState) -> String?
    ) {
        self.state = state
        self.chooser = chooser
        self.invariant = invariant
        trace = isTraced ? [] : nil
    }

    /// What was violated first.
    package var violation: String? { state.referee.violation }

    /// Runs more processes to their end, those that are there already having come to theirs.
    package func run(_ newcomers: [Actor], on workers: WorkerPool) {
        let first = actors.count
        for (offset, actor) in newcomers.enumerated() {
            actors.append(actor)
            seats.append(Seat())
            pending.append(.start)
            var process = WorldState.Process(
                id: actor.processID ?? Int32(100 + first + offset), machine: actor.machine, isPeer: actor.isPeer)
            if let end = actor.socketEnd { process.sockets[SimulatedSockets.firstDescriptor] = end }
            state.processes.append(process)
        }
        let group = DispatchGroup()
        for process in first..<actors.count {
            group.enter()
            workers.start {
                self.live(process)
                group.leave()
            }
        }
        if handOn(from: nil) { finished.wait() }
        group.wait()
    }

    /// The whole life of a process, on its thread.
    private func live(_ process: Int) {
        seats[process].turn.wait()
        if !seats[process].isGhost.load(ordering: .acquiring) {
            state.processes[process].life = .running
            actors[process].body(SimulatedHost(world: self, process: process, userID: actors[process].userID))
            // The kernel closes what a process leaves open.
            _ = try? perform(process, .exit, "exit") { (state) throws(Errno) -> Bool in
                state.end(process, as: .exited)
                return true
            }
        }
        guard !seats[process].isGhost.exchange(true, ordering: .acquiringAndReleasing) else { return }
        if !handOn(from: process) { finished.signal() }
    }

    // MARK: Steps

    /// Whether calls of this process do nothing any more.
    func isGhost(_ process: Int) -> Bool { seats[process].isGhost.load(ordering: .acquiring) }

    func ghostTime(_ process: Int) -> Int64 {
        // A second for each look at the clock ends every wait soon.
        seats[process].ghostNanoseconds.add(1_000_000_000, ordering: .relaxed).newValue
    }

    /// Makes a call of a process: lets the others go first as the chooser wants it, then does what the call does.
    func perform<Value: Hashable>(
        _ process: Int, _ kind: StepKind, _ text: @autoclosure () -> String,
        _ body: (inout WorldState) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        guard takeTurn(process, kind) else { throw .ioError }
        if let error = failsNext.removeValue(forKey: process) {
            note(process, text(), "fails: \(error)", -error.rawValue)
            watch?.sawInjectedFailure(of: process, kind.made, in: state)
            throw error
        }
        do throws(Errno) {
            let value = try body(&state)
            note(process, text(), Story.words(for: value), value)
            if let misstep = watch?.saw(kind.made, by: process, gave: value, in: state) { report(misstep) }
            return value
        } catch {
            note(process, text(), "\(error)", error.rawValue)
            if let misstep = watch?.saw(kind.made, by: process, failed: error, in: state) { report(misstep) }
            throw error
        }
    }

    /// Lets the others go first as the chooser wants it; false where the process has no turn any more.
    func takeTurn(_ process: Int, _ kind: StepKind) -> Bool {
        if isGhost(process) { return false }
        pending[process] = kind
        return kind.isVisible ? waitForTurn(process) : true
    }

    /// Which outcome a step has that is about to be made; nil where the process has no turn any more.
    func decide(_ process: Int, among outcomes: [Outcome]) -> Outcome? {
        guard outcomes.count > 1, failsNext[process] == nil else { return outcomes.first }
        if case .outcome(_, let outcome)? = chooser.known() {
            state.budget.spend(outcome)
            return outcome
        }
        state.deciding = process
        let choices = outcomes.map { Choice.outcome(process, $0) }
        let chosen = chooser.choose(among: choices, in: state, current: process)
        state.deciding = nil
        guard let chosen else {
            abort()
            return nil
        }
        state.budget.spend(outcomes[chosen])
        return outcomes[chosen]
    }

    /// What a process does that no other can notice, and that cannot fail.
    func read<Value: Hashable>(_ process: Int, _ body: (inout WorldState) -> Value) -> Value? {
        if isGhost(process) { return nil }
        let value = body(&state)
        remember(process, value)
        return value
    }

    private func note<Value: Hashable>(
        _ process: Int, _ text: @autoclosure () -> String, _ result: @autoclosure () -> String, _ value: Value
    ) {
        remember(process, value)
        state.processes[process].lastStepNanoseconds = state.bootClockNanoseconds
        if trace != nil { trace?.append("\(actors[process].name): \(text()) → \(result())") }
    }

    private func remember<Value: Hashable>(_ process: Int, _ value: Value) {
        var hasher = Hasher()
        hasher.combine(state.processes[process].history)
        hasher.combine(value)
        state.processes[process].history = hasher.finalize()
    }

    /// Records what must not be. The first counts.
    func report(_ violation: String) {
        if state.referee.violation == nil { state.referee.violation = violation }
        tellViolation()
    }

    /// From now on nothing happens but what processes do.
    func calm() {
        chooser.calm()
        state.budget = Budget()
    }

    func letTimePass(seconds: Int64) {
        state.apply(.passTime(seconds: seconds))
    }

    private func tellViolation() {
        guard let violation, !isViolationTold else { return }
        isViolationTold = true
        trace?.append("!! " + violation)
    }

    /// A process has just read what it will go by for a while, or does so no longer.
    func noteLook(of process: Int, isOver: Bool = false) {
        if isGhost(process) { return }
        state.processes[process].lookNanoseconds = isOver ? nil : state.bootClockNanoseconds
    }

    /// What a process does to the referee, as part of its own step.
    package func tell(_ process: Int, _ body: (inout Referee) -> Void) {
        if isGhost(process) { return }
        body(&state.referee)
    }

    // MARK: Turns

    /// False where the process has no turn any more.
    private func waitForTurn(_ process: Int) -> Bool {
        while true {
            switch choose(current: process) {
            case .abort: return false
            case .run(process): return !isGhost(process)
            case .run(let other):
                seats[other].turn.signal()
                seats[process].turn.wait()
                return !isGhost(process)
            case .nobody: return false
            case .again: if isGhost(process) { return passOn(process) }
            }
        }
    }

    /// The process whose thread this is was killed: the next one is woken, and its own code comes to an end.
    private func passOn(_ process: Int) -> Bool {
        if !handOn(from: process) { finished.signal() }
        return false
    }

    /// Wakes the next process; false where there is none.
    private func handOn(from process: Int?) -> Bool {
        while true {
            switch choose(current: process) {
            case .run(let other):
                seats[other].turn.signal()
                return true
            case .again: continue
            case .abort, .nobody: return false
            }
        }
    }

    private enum Next {
        case run(Int)
        /// Something else happened; another choice is due.
        case again
        case nobody
        case abort
    }

    private func choose(current: Int?) -> Next {
        // What has been done before needs no look: it was allowed, and broke nothing.
        if let known = chooser.known() { return take(known, current: current) }
        // A step is over, and what the process says of it has been heard.
        if state.referee.violation == nil, let violation = invariant(state) { report(violation) }
        tellViolation()
        let choices = self.choices(current: current)
        guard choices.contains(where: \.isRun) else { return nobodyGoesOn() }
        // After a violation nothing more is to be found out.
        let chosen = state.referee.violation == nil ? chooser.choose(among: choices, in: state, current: current) : nil
        guard let chosen else {
            abort()
            return .abort
        }
        return take(choices[chosen], current: current)
    }

    /// All have ended, or each waits for another.
    private func nobodyGoesOn() -> Next {
        guard state.processes.contains(where: { $0.life == .running }) else { return .nobody }
        report("all that are left wait for each other")
        abort()
        return .abort
    }

    private func take(_ choice: Choice, current: Int?) -> Next {
        switch choice {
        case .run(let process, let isPreemption):
            if isPreemption, let left = state.budget.preemptions { state.budget.preemptions = left - 1 }
            wake(process)
            return .run(process)
        case .fail(let process, let error):
            state.budget.errors -= 1
            failsNext[process] = error
            wake(process)
            return .run(process)
        case .kill(let process):
            state.budget.kills -= 1
            trace?.append("\(actors[process].name): is killed before \(pending[process])")
            state.end(process, as: .killed)
            watch?.sawKill(of: process, in: state)
            seats[process].isGhost.store(true, ordering: .releasing)
            if process != current { seats[process].turn.signal() }
            return .again
        case .outcome: preconditionFailure("outcomes are chosen by a step under way")
        case .act(let act):
            state.budget.acts.removeAll { $0 == act }
            trace?.append("the world: \(act)")
            state.apply(act)
            watch?.saw(act, in: state)
            return .again
        }
    }

    private func wake(_ process: Int) {
        guard let wakes = state.processes[process].wakesNanoseconds else { return }
        state.bootClockNanoseconds = max(state.bootClockNanoseconds, wakes)
        state.processes[process].wakesNanoseconds = nil
    }

    /// Ends the run: every process's code comes to an end without doing anything any more.
    private func abort() {
        isAborted = true
        for seat in seats where !seat.isGhost.exchange(true, ordering: .acquiringAndReleasing) { seat.turn.signal() }
        finished.signal()
    }

    /// Everything that can happen next; first that the current process goes on.
    private func choices(current: Int?) -> [Choice] {
        var result: [Choice] = []
        let living = state.processes.indices.filter {
            !isGhost($0) && [.running, .notStarted].contains(state.processes[$0].life)
        }
        let mayGoOn =
            current.map { current in
                let process = state.processes[current]
                return living.contains(current) && process.wakesNanoseconds == nil && process.awaitedSocket == nil
            } ?? false
        if let current, living.contains(current), canRun(current) { result.append(.run(current, isPreemption: false)) }
        let mayPreempt = !mayGoOn || state.budget.preemptions != 0
        if mayPreempt {
            for process in living where process != current && canRun(process) {
                result.append(.run(process, isPreemption: mayGoOn))
            }
        }
        if state.budget.kills > 0 {
            for process in living where state.processes[process].life == .running { result.append(.kill(process)) }
        }
        if state.budget.errors > 0, let current, living.contains(current), pending[current].canFail {
            result += state.budget.errorCodes.filter(pending[current].canGive).map { .fail(current, $0) }
        }
        result += state.budget.acts.filter(state.isPossible).map(Choice.act)
        return result
    }

    /// Whether it is a process's turn, or can come to be by letting time pass: not while another one that does not
    /// sleep would take longer for its next step than it ever does.
    private func canRun(_ process: Int) -> Bool {
        if let end = state.processes[process].awaitedSocket { return state.sockets.isReadable(end) }
        guard let wakes = state.processes[process].wakesNanoseconds, wakes > state.bootClockNanoseconds else {
            return true
        }
        return state.processes.indices.allSatisfy { other in
            guard let patience = actors[other].patienceNanoseconds, state.processes[other].life == .running
            else { return true }
            let known = state.processes[other]
            let due = known.wakesNanoseconds ?? known.lookNanoseconds ?? known.lastStepNanoseconds
            return wakes - due <= patience
        }
    }
}
