import RVFLock

/// Writes down what a run did in the model's words, so that the model can take the same steps: for each of them who made
/// it, which it is, and how the world looked afterwards.
///
/// Only what is ours is told: a run with naive peers, clocks that step or calls that fail has no recording.
final class StepRecorder {
    /// The world as far as the model has it. A file is known by a number of its own, which no other file ever gets.
    struct Snapshot: Equatable {
        var lock: Int?
        var data: Int?
        /// What stands in the lock file: the process that it names, nil for none of ours.
        var holder: Int?
        var isEmpty = false
        var isGuarded = false
        /// By process, the files under either name that it has locked.
        var guards: [Set<Int>] = []
        var holders: Set<Int> = []
    }

    private struct Step {
        var process: Int
        var label: String
        var event: Int
        /// The model's step has no call: the world is as it was before the event.
        var isSilent: Bool
    }

    private var snapshots: [Snapshot] = []
    private var start = Snapshot()
    private var files: [UInt64: Int] = [:]
    private var fileCount = 0
    private var steps: [Step] = []
    private var variants = StepTable.Variants.all
    private(set) var isReplayable = true

    init(_ state: WorldState) {
        start = look(state)
        // A maker that is killed at once has made no step that would tell.
        let refusals = state.files.refusals
        if !state.files.hasUnnamedFiles, refusals.link != nil, refusals.exclusiveRename != nil { variants = .plainCreate }
    }

    func act(_ act: WorldAct, event: Int) {
        switch act {
        case .removeLock: steps.append(Step(process: -1, label: "remove", event: event, isSilent: false))
        case .makeData: steps.append(Step(process: -2, label: "appear", event: event, isSilent: false))
        default: isReplayable = false
        }
    }

    func snapshot(_ state: WorldState) { snapshots.append(look(state)) }

    func end(_ process: Int, _ walk: StepMatcher.Walk?, end: String?, event: Int, isReplayable: Bool) {
        if !isReplayable { self.isReplayable = false }
        let table = StepTable.model
        let walked = walk?.steps ?? []
        for (index, step) in walked.enumerated() {
            let label = table.labels[Int(step.label)]
            // Between two steps, and no step of its own.
            if ["held", "validated", "released"].contains(label) { continue }
            variants.formIntersection(step.variants)
            let next = step.event ?? walked[index...].lazy.compactMap(\.event).first ?? event
            steps.append(Step(process: process, label: label, event: next, isSilent: step.event == nil))
        }
        if end == "killed" { steps.append(Step(process: process, label: "killed", event: event, isSilent: false)) }
    }

    private func look(_ state: WorldState) -> Snapshot {
        files = files.filter { state.files.inodes[$0.key] != nil }
        var snapshot = Snapshot()
        snapshot.lock = state.lockInode.map(number)
        snapshot.data = state.dataInode.map(number)
        if let inode = state.lockInode, let file = state.files.inodes[inode] {
            let reading = LockRecordReading(file.bytes)
            snapshot.isEmpty = reading.record == nil
            snapshot.isGuarded = reading.record?.isGuarded ?? false
            snapshot.holder = reading.record.flatMap { record in
                state.processes.firstIndex { $0.id == Int32(record.processID) }
            }
        }
        for known in state.processes {
            var locked: Set<Int> = []
            for open in known.descriptors.values {
                let isLocked = state.files.inodes[open.inode]?.lockedBy == open.description
                if isLocked, let file = files[open.inode] { locked.insert(file) }
            }
            snapshot.guards.append(locked)
        }
        snapshot.holders = Set(state.referee.holders)
        return snapshot
    }

    private func number(_ inode: UInt64) -> Int {
        if let known = files[inode] { return known }
        fileCount += 1
        files[inode] = fileCount
        return fileCount
    }

    // MARK: In the model's words

    /// The recording as `spec/model/replay` reads it: a line of what there was at the start, and one for each step, with
    /// numbers that are the model's macros. Nil where the model cannot take it.
    func text(name: String, writers: Int) -> String? {
        guard isReplayable, let variant = variants.names.first else { return nil }
        let ordered = steps.enumerated().sorted { ($0.element.event, $0.offset) < ($1.element.event, $1.offset) }.map(\.element)
        var names = FileNames(start)
        var lines: [String] = []
        for (index, step) in ordered.enumerated() {
            let after = step.isSilent ? (step.event == 0 ? start : snapshots[step.event - 1]) : snapshots[min(step.event, snapshots.count - 1)]
            names.note(step.label, by: step.process, after)
            let lost = Set((0..<writers).filter { hasLost($0, ordered[...index], ordered[(index + 1)...]) })
            guard let world = names.words(for: after, without: lost, start, writers) else { return nil }
            let who = step.process == -1 ? "OPERATOR" : step.process == -2 ? "OUTSIDER" : "\(step.process)"
            lines.append("step {\(who), s_\(step.label), \(world)}")
        }
        guard let world = names.words(for: start, without: [], start, writers) else { return nil }
        let head = "recording \(variant) \(writers) \(max(2, names.mostTries)) {NONE, 0, \(world)} \(name)"
        return ([head] + lines).joined(separator: "\n")
    }

    /// Whether a process has found its lock lost in this try, or is giving it up: it says so only when all is over.
    private func hasLost(_ process: Int, _ past: ArraySlice<Step>, _ future: ArraySlice<Step>) -> Bool {
        for step in past.reversed() where step.process == process {
            if step.label == "releaseValidate" { return true }
            if step.label == "begin" { break }
        }
        guard let last = past.last(where: { $0.process == process }), last.label.hasPrefix("validate") else { return false }
        return future.first { $0.process == process }?.label == "releaseValidate"
    }

    /// What the model calls each file.
    private struct FileNames {
        private var names: [Int: String] = [:]
        private var dataFiles: Set<Int> = []
        private var tries: [Int: Int] = [:]
        private(set) var mostTries = 0

        init(_ start: Snapshot) {
            if let lock = start.lock { names[lock] = "OLD_LOCK" }
            if let data = start.data {
                names[data] = "OLD_DATA"
                dataFiles.insert(data)
            }
        }

        mutating func note(_ label: String, by process: Int, _ after: Snapshot) {
            let tried = tries[process] ?? 0
            switch label {
            case "begin":
                tries[process] = tried + 1
                mostTries = max(mostTries, tried + 1)
            case "publish", "takeoverExchange":
                if let lock = after.lock, names[lock] == nil { names[lock] = "LOCK_INODE(\(process), \(tried - 1))" }
            case "appear": call(after.data, "STRANGE_DATA")
            case "createF": call(after.data, "CREATED(\(process))")
            case "compactRename": call(after.data, "COMPACTED(\(process))")
            default: break
            }
        }

        private mutating func call(_ data: Int?, _ name: String) {
            guard let data, names[data] == nil else { return }
            names[data] = name
            dataFiles.insert(data)
        }

        func words(for world: Snapshot, without lost: Set<Int>, _ start: Snapshot, _ writers: Int) -> String? {
            var lock = "NONE", data = "NONE", record = "NONE"
            if let file = world.lock {
                guard let name = names[file] else { return nil }
                lock = name
                let leftover = start.isGuarded ? "DEAD_OURS" : "DEAD_PEER"
                record = world.isEmpty ? "EMPTY" : world.holder.map { "NAMES(\($0))" } ?? leftover
            }
            if let file = world.data {
                guard let name = names[file] else { return nil }
                data = name
            }
            let holders = world.holders.subtracting(lost).reduce(0) { $0 | 1 << $1 }
            let guards = (0..<writers).map { process in "\(bits(process, world))" }.joined(separator: ", ")
            return "\(lock), \(data), \(record), \(world.isGuarded ? 1 : 0), \(holders), {\(guards)}"
        }

        /// Whether a process has locked the lock file, any that was one, the protected file, and any that was one.
        private func bits(_ process: Int, _ world: Snapshot) -> Int {
            let locked = process < world.guards.count ? world.guards[process] : []
            let data = locked.intersection(dataFiles)
            let locks = locked.subtracting(dataFiles)
            return (world.lock.map(locks.contains) == true ? 1 : 0) | (locks.isEmpty ? 0 : 2)
                | (world.data.map(data.contains) == true ? 4 : 0) | (data.isEmpty ? 0 : 8)
        }
    }
}
