import RVFHost
import RVFLock
import SystemPackage

/// Watches what the processes of a world do, and follows each of ours through the model's steps.
///
/// It believes no answer that a process got from its system, but looks at the world itself: a process that was told what
/// is not so has not made the step that it believes to have made.
final class StepWatch {
    private var walkers: [Walker] = []
    /// The events so far: calls, deaths, and what the world did by itself.
    private var eventCount = 0
    private var lockInode: UInt64?
    private(set) var coverage = StepCoverage()
    let recorder: StepRecorder?
    private let rules: CompiledRules

    init(_ state: WorldState, rules: CompiledRules, recorder: StepRecorder? = nil) {
        self.rules = rules
        lockInode = state.lockInode
        self.recorder = recorder
    }

    // MARK: What the world tells

    /// The text says why the call is no step of the model.
    func saw<Value>(_ call: HostCall?, by process: Int, gave value: Value, in state: WorldState) -> String? {
        let outcome: Walker.Outcome =
            switch value {
            case let status as FileStatus: .file(status.identity.inode)
            case let bytes as [UInt8]: .bytes(bytes)
            case let number as Int32: .descriptor(number)
            case let flag as Bool: .flag(flag)
            case let message as SimulatedHost.Received: .message(message.bytes, message.descriptors)
            default: .done
            }
        return see(call, by: process, outcome, state)
    }

    func saw(_ call: HostCall?, by process: Int, failed error: Errno, in state: WorldState) -> String? {
        see(call, by: process, .failed(error), state)
    }

    func sawInjectedFailure(of process: Int, _ call: HostCall?, in state: WorldState) {
        admit(process, state)
        walkers[process].hasFailed = true
        var places = ["held", "releaseValidate", "dropGuardL", "dropGuardF", "released"]
        if walkers[process].isSuccessor { places.append("refuse") }
        if case .send? = call, !walkers[process].isSuccessor { places.append("resumeTimestamp") }
        walkers[process].matcher.recover(at: places)
    }

    func sawKill(of process: Int, in state: WorldState) {
        admit(process, state)
        finish(process, as: "killed")
        note(state)
    }

    func saw(_ act: WorldAct, in state: WorldState) {
        recorder?.act(act, event: eventCount)
        note(state)
    }

    // MARK: Following

    private func see(_ call: HostCall?, by process: Int, _ outcome: Walker.Outcome, _ state: WorldState) -> String? {
        admit(process, state)
        defer { note(state) }
        if state.processes[process].isPeer { return nil }
        let sign: Sign?
        if let call {
            sign = walkers[process].sign(of: call, outcome, process, state, lockWas: lockInode)
        } else {
            sign = .strange
        }
        // Who hands the lock over has not given it up until it knows that another one holds it.
        let holds = state.referee.holders.contains(process) || state.referee.custody?.predecessor == process
        defer { walkers[process].saysItHolds = holds }
        // Tells a release from a validation, which begins like it. Whoever has lost the lock says so only later.
        if walkers[process].saysItHolds, !holds {
            if walkers[process].hasFailed {
                // Where it is now it may be past the step that begins so.
                walkers[process].matcher.takeLoosely(.resign, event: eventCount)
            } else {
                _ = walkers[process].matcher.take(.resign, event: eventCount)
            }
        }
        guard let sign else { return nil }
        if let misstep = take(sign, by: process) { return misstep }
        return sign == .cannotHandOver ? take(sign, by: process) : nil
    }

    private func take(_ sign: Sign, by process: Int) -> String? {
        if walkers[process].hasFailed, StepWatch.tidying & sign.bit != 0 {
            walkers[process].matcher.takeLoosely(sign, event: eventCount)
            return nil
        }
        if walkers[process].matcher.take(sign, event: eventCount) {
            if sign == .exit { finish(process, as: "finished") }
            return nil
        }
        let places = walkers[process].matcher.labels.joined(separator: " or ")
        let why = walkers[process].lie.map { ": \($0)" } ?? ""
        return "the model has no such step: process \(process + 1), at \(places), \(sign.words)\(why)"
    }

    /// What a process does with its own files after a call that failed.
    private static let tidying =
        Sign.closeDraft.bit | Sign.unnameDraft.bit | Sign.removeAside.bit | Sign.examineDraft.bit | Sign.sleep.bit
        | Sign.putBack.bit | Sign.makeDraft.bit | Sign.makeDraftUnsupported.bit

    private func admit(_ process: Int, _ state: WorldState) {
        while walkers.count <= process {
            // The second end of each pair of sockets is the successor's.
            let isSuccessor = state.processes[walkers.count].sockets.values.contains { $0 % 2 == 1 }
            walkers.append(Walker(rules, isSuccessor: isSuccessor))
        }
    }

    private func note(_ state: WorldState) {
        lockInode = state.lockInode
        recorder?.snapshot(state)
        eventCount += 1
    }

    /// A walk is over.
    private func finish(_ process: Int, as end: String) {
        let matcher = walkers[process].matcher
        if !walkers[process].hasFailed { coverage.add(matcher.walk, end: end) }
        recorder?.end(process, matcher.walk, end: end, event: eventCount, isReplayable: !walkers[process].hasFailed)
        walkers[process].isOver = true
    }

    /// The run is over: what the processes did that have not ended counts too.
    func close() {
        for (process, walker) in walkers.enumerated() where !walker.isOver {
            if !walker.hasFailed { coverage.add(walker.matcher.walk, end: nil) }
            recorder?.end(
                process, walker.matcher.walk, end: nil, event: eventCount, isReplayable: !walker.hasFailed)
        }
    }
}

/// How often each step of the model, and each way from one to the next, was taken.
package struct StepCoverage: Sendable {
    package init() {}

    package private(set) var walks = 0
    package private(set) var steps = 0
    private var edges: [StepTable.Edge: Int] = [:]

    mutating func add(_ walk: StepMatcher.Walk?, end: String?) {
        walks += 1
        var step = walk
        while let last = step {
            steps += 1
            if let previous = last.previous { edges[StepTable.Edge(from: previous.label, to: last.label), default: 0] += 1 }
            step = last.previous
        }
        if let end, let from = walk?.label, let to = StepTable.model.label(end), to != from {
            edges[StepTable.Edge(from: from, to: to), default: 0] += 1
        }
    }

    package mutating func merge(_ other: StepCoverage) {
        walks += other.walks
        steps += other.steps
        edges.merge(other.edges, uniquingKeysWith: +)
    }

    /// How many ways the model has; deaths left out.
    package var edgeCount: Int {
        StepTable.model.edges.keys.count { $0.to != StepTable.model.label("killed") }
    }

    /// The ways of the model that were not taken; deaths left out.
    package var missingEdges: [String] { names { edges[$0] == nil } }
    /// The labels of the model that no process ever came to.
    package var missingLabels: [String] {
        let reached = Set(edges.keys.flatMap { [$0.from, $0.to] })
        return StepTable.model.labels.indices.filter { !reached.contains(UInt8($0)) }.map { StepTable.model.labels[$0] }
    }

    private func names(where isWanted: (StepTable.Edge) -> Bool) -> [String] {
        let table = StepTable.model
        return table.edges.keys.filter { table.label("killed") != $0.to && isWanted($0) }
            .map(table.words).sorted()
    }
}
