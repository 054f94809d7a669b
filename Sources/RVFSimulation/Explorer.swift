import RVFHost

/// A world to be run again and again.
package struct Scenario: Sendable {
    package var name: String
    package var state: WorldState
    package var actors: [World.Actor]
    package var invariants: Invariants
    /// Whether a newcomer gets the lock at once when all have ended, and nothing is left behind afterwards.
    package var endsWell: EndsWell
    /// Whether every step of our processes has to be one of the model's, which has neither calls that are refused for good
    /// nor the settling of a holder that was stopped.
    package var followsModel: Bool

    package enum EndsWell: Sendable {
        /// Without letting time pass.
        case atOnce
        /// When all ages are over.
        case inTheEnd
        /// The store has what was acknowledged, and takes one more row.
        case storeGoesOn
        /// Nobody has acquired, and what stood at the lock's name stands there.
        case refused
        /// The run itself is all that is looked at.
        case unasked
    }

    package init(
        _ name: String, _ state: WorldState, _ actors: [World.Actor], invariants: Invariants = .all,
        endsWell: EndsWell = .atOnce, followsModel: Bool = true
    ) {
        self.name = name
        self.state = state
        self.actors = actors
        self.invariants = invariants
        self.endsWell = endsWell
        // The model has no servers.
        self.followsModel = followsModel && state.remote == nil
    }
}

extension Scenario: CustomStringConvertible {
    package var description: String { name }
}

/// What was found when a scenario was run.
package struct Finding: Sendable {
    package var violation: String
    /// Where it was found; its bounds may be other ones than were asked for.
    package var scenario: Scenario
    /// The choices that lead there; see ``Explorer/replay(_:choices:)``.
    package var choices: String
    /// Who did what.
    package var story: [String]
}

/// Runs a scenario through every order of its steps, or through random ones.
package final class Explorer {
    package struct Report: Sendable {
        package var runs = 0
        package var states = 0
        package var steps = 0
        /// Whether every order has been seen.
        package var isComplete = false
        package var finding: Finding?
        /// Which steps of the model were taken.
        package var coverage = StepCoverage()
    }

    /// Of more schedules of a world only the invariants are looked at: following every step takes longer than the step.
    private static let followedRunLimit = 5_000

    private let workers = WorkerPool()
    private let rules: CompiledRules

    package convenience init() { self.init(rules: .shared) }

    init(rules: CompiledRules) {
        self.rules = rules
    }

    /// Depth first over who goes next, what fails and who is killed, each state once.
    ///
    /// - Parameter runLimit: no more runs than this.
    package func explore(_ scenario: Scenario, runLimit: Int = .max) -> Report {
        var report = Report()
        let chooser = PathChooser()
        while report.runs < runLimit {
            chooser.begin()
            var followed = scenario
            if report.runs >= Self.followedRunLimit { followed.followsModel = false }
            let world = run(followed, chooser, isTraced: false)
            report.runs += 1
            if let watch = world.watch { report.coverage.merge(watch.coverage) }
            if let violation = world.violation {
                report.finding = finding(violation, scenario, chooser.path.map(\.chosen))
                break
            }
            if !chooser.advance() {
                report.isComplete = true
                break
            }
        }
        report.states = chooser.visited.count
        report.steps = chooser.stepCount
        return report
    }

    /// Random runs. The first that fails is shortened to what it takes.
    package func wander(_ scenario: Scenario, seeds: Range<UInt64>) -> Report {
        var report = Report()
        for seed in seeds {
            let chooser = RandomChooser(seed: seed)
            let world = run(scenario, chooser, isTraced: false)
            report.runs += 1
            report.steps += chooser.taken.count
            if let watch = world.watch { report.coverage.merge(watch.coverage) }
            guard world.violation != nil else { continue }
            let choices = shorten(chooser.taken, scenario)
            let replayed = run(scenario, ListChooser(choices), isTraced: false)
            report.finding = finding(replayed.violation ?? world.violation ?? "", scenario, choices)
            report.finding?.violation += " (seed \(seed))"
            return report
        }
        return report
    }

    /// Looks for a violation that is known to be there: in order first, then at random, without a bound on how often a
    /// process is interrupted.
    package func search(_ scenario: Scenario, runLimit: Int, seeds: Range<UInt64>) -> Report {
        let report = explore(scenario, runLimit: runLimit)
        if report.finding != nil || report.isComplete { return report }
        var unbounded = scenario
        unbounded.state.budget.preemptions = nil
        var more = wander(unbounded, seeds: seeds)
        more.runs += report.runs
        more.states = report.states
        return more
    }

    /// Runs one order of steps again; what was violated, and the story.
    package func replay(_ scenario: Scenario, choices: String) -> (violation: String?, story: [String]) {
        let world = run(scenario, ListChooser(ChoiceText.decode(choices)), isTraced: true)
        // What a process still did before it could be stopped is no part of the story.
        let story = world.trace ?? []
        return (world.violation, Array(story[..<(story.firstIndex { $0.hasPrefix("!! ") }.map { $0 + 1 } ?? story.count)]))
    }

    /// Random runs in the model's words, each once: what `spec/model/replay` takes again. A run that the model cannot take
    /// as a whole (see ``StepRecorder``) is left out.
    package func record(_ scenario: Scenario, seeds: Range<UInt64>, count: Int) -> [String] {
        var scenario = scenario
        // Those who come when all is over come to a world in which time has passed.
        scenario.endsWell = .unasked
        var seen: Set<String> = []
        var recordings: [String] = []
        for seed in seeds where recordings.count < count {
            let recorder = StepRecorder(scenario.state)
            let world = run(scenario, RandomChooser(seed: seed), isTraced: false, recorder: recorder)
            let name = "\(scenario.name), seed \(seed)"
            guard world.violation == nil, let text = recorder.text(name: name, writers: scenario.actors.count),
                seen.insert(text.split(separator: "\n").dropFirst().joined()).inserted
            else { continue }
            recordings.append(text)
        }
        return recordings
    }

    private func finding(_ violation: String, _ scenario: Scenario, _ choices: [Int]) -> Finding {
        let text = ChoiceText.encode(choices)
        return Finding(violation: violation, scenario: scenario, choices: text, story: replay(scenario, choices: text).story)
    }

    // MARK: One run

    private func run(
        _ scenario: Scenario, _ chooser: any Chooser, isTraced: Bool, recorder: StepRecorder? = nil
    ) -> World {
        let invariants = scenario.invariants
        let world = World(state: scenario.state, chooser: Relay(chooser), isTraced: isTraced) {
            invariants.violation(in: $0)
        }
        if scenario.followsModel { world.watch = StepWatch(scenario.state, rules: rules, recorder: recorder) }
        world.run(scenario.actors, on: workers)
        if !world.isAborted, world.violation == nil, scenario.endsWell != .unasked { end(world, scenario) }
        world.watch?.close()
        return world
    }

    /// A newcomer gets the lock, and leaves nothing behind.
    private func end(_ world: World, _ scenario: Scenario) {
        let hasData = world.state.dataInode != nil
        let isUndisturbed =
            world.state.budget == scenario.state.budget && world.state.processes.allSatisfy { $0.life == .exited }
        if isUndisturbed, scenario.endsWell == .atOnce, let left = leftovers(world) { return world.report(left) }
        world.calm()
        if scenario.endsWell == .storeGoesOn { return endStore(world) }
        if scenario.endsWell == .refused { return endRefused(world, scenario) }
        let before = world.state.referee.acquisitionCount
        if scenario.endsWell == .atOnce { world.run([LockActors.writer("first newcomer")], on: workers) }
        if scenario.endsWell == .atOnce, world.state.referee.acquisitionCount == before, world.violation == nil {
            return world.report("all have ended, and a newcomer does not get the lock at once")
        }
        // Longer than any age by which anything is judged.
        world.letTimePass(seconds: 4000)
        let acquired = world.state.referee.acquisitionCount
        world.run([LockActors.writer("last newcomer")], on: workers)
        if world.violation != nil { return }
        if world.state.referee.acquisitionCount == acquired {
            return world.report("all have ended long ago, and a newcomer does not get the lock")
        }
        if let left = leftovers(world) { world.report(left) }
        if hasData, world.state.dataInode == nil { world.report("the protected file is gone") }
    }

    private func endRefused(_ world: World, _ scenario: Scenario) {
        func bytes(_ state: WorldState) -> [UInt8]? { state.lockInode.flatMap { state.files.inodes[$0]?.bytes } }
        if world.state.referee.acquisitionCount > 0 { return world.report("the lock was taken where it cannot be given back") }
        if bytes(world.state) != bytes(scenario.state) { world.report("a lock that was not taken is not as it was") }
        if scenario.state.lockInode == nil, let left = leftovers(world) { world.report(left) }
    }

    private func endStore(_ world: World) {
        // Longer than it takes for what a killed writer left to be swept away.
        world.letTimePass(seconds: 4000)
        world.run([StoreActors.writer("last writer", ids: [999])], on: workers)
        if !world.state.referee.acknowledged.contains(999) {
            world.report("all have ended long ago, and a writer cannot go on")
        }
        world.run([StoreActors.reader("last reader", looks: 1)], on: workers)
        if world.violation == nil, let left = leftovers(world) { world.report(left) }
    }

    private func leftovers(_ world: World) -> String? {
        let left = world.state.files.names(in: world.state.sceneDirectory).filter { $0 != Scene.dataName }
        return left.isEmpty ? nil : "files are left behind: \(left.joined(separator: ", "))"
    }

    // MARK: Shortening

    /// Choices without what the violation does not need: a zero is "whoever has the turn goes on".
    private func shorten(_ choices: [Int], _ scenario: Scenario) -> [Int] {
        var best = choices
        func fails(_ candidate: [Int]) -> Bool {
            run(scenario, ListChooser(candidate), isTraced: false).violation != nil
        }
        guard fails(best) else { return best }
        var size = max(1, best.count / 2)
        while size >= 1 {
            var start = 0
            while start < best.count {
                let end = min(best.count, start + size)
                var without = best
                without.removeSubrange(start..<end)
                var quiet = best
                for index in start..<end { quiet[index] = 0 }
                if fails(without) {
                    best = without
                } else {
                    if quiet != best, fails(quiet) { best = quiet }
                    start = end
                }
            }
            size /= 2
        }
        return best
    }
}

extension Explorer {
    /// One process, alone in a world.
    package static func alone(_ state: WorldState, _ body: @escaping @Sendable (SimulatedHost) -> Void) -> World {
        let world = World(state: state, chooser: Relay(ListChooser([])), isTraced: false) { _ in nil }
        let workers = WorkerPool()
        world.run([World.Actor(name: "alone", body: body)], on: workers)
        return world
    }
}
