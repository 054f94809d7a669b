import RVFLock
import RVFStore

/// What is done to a store, and the states that it goes through by that.
package struct StoreHistory: Sendable {
    /// From the opening of a store to its closing.
    struct Session: Sendable {
        enum Beginning: Sendable { case create, replaceDamaged, open }

        var beginning: Beginning
        var steps: [Step] = []
        /// Where in its last step the process is killed; nil for one that comes to its end.
        var death: DiskMachine.Death?
    }

    enum Step: Sendable {
        case commit(Transaction, CommitOptions.Durability)
        case ingest(ids: [UInt64], components: [Float], commits: Int, CommitOptions.Durability)
        case sync
        case compact(rowsInMemory: Int)
        /// The writer sees this.
        case expect(StoreContent)
    }

    package var name: String
    var beginning = DiskImage([:])
    var hasUnnamedFiles = true
    var metric = Metric.squaredL2
    var options = WriterOptions()
    private(set) var states: [StoreState]
    private(set) var sessions: [Session] = []

    /// - Parameter damaged: what stands at the store's name before.
    init(_ name: String, damaged: [UInt8]? = nil) {
        self.name = name
        options.lock.renewal = .manual
        states = [damaged == nil ? .absent : .damaged]
        if let damaged { beginning = DiskImage([Scene.dataName: damaged]) }
    }

    /// Goes on with what a power cut left.
    init(after state: StoreState, of other: StoreHistory) {
        name = other.name
        hasUnnamedFiles = other.hasUnnamedFiles
        metric = other.metric
        options = other.options
        states = [state]
        switch state {
        case .absent: create()
        case .damaged: replaceDamaged()
        case .holding: open()
        }
    }

    var content: StoreContent {
        if case .holding(let content) = states[states.count - 1] { return content }
        return StoreContent()
    }

    private mutating func add(_ step: Step) { sessions[sessions.count - 1].steps.append(step) }

    mutating func create() {
        sessions.append(Session(beginning: .create))
        states.append(.holding(StoreContent()))
    }

    mutating func replaceDamaged() {
        options.replacesDamaged = true
        sessions.append(Session(beginning: .replaceDamaged))
        states += [.absent, .holding(StoreContent())]
    }

    mutating func open() {
        sessions.append(Session(beginning: .open))
        add(.expect(content))
    }

    mutating func commit(_ durability: CommitOptions.Durability = .ordered, _ body: (inout ContentChange) -> Void) {
        var change = ContentChange(content: content)
        body(&change)
        states.append(.holding(change.content))
        add(.commit(change.transaction, durability))
    }

    /// Rows in commits of equal length.
    mutating func ingest(_ ids: [UInt64], version: Int, commits: Int, _ durability: CommitOptions.Durability) {
        let length = ids.count / commits
        var after = content
        for start in stride(from: 0, to: commits * length, by: length) {
            for id in ids[start..<(start + length)] { after.rows[id] = ContentChange.vector(id, version) }
            states.append(.holding(after))
        }
        let taken = Array(ids.prefix(commits * length))
        let components = taken.flatMap { ContentChange.vector($0, version) }
        add(.ingest(ids: taken, components: components, commits: commits, durability))
    }

    /// The process is killed in what it was told to do last.
    mutating func kill(in death: DiskMachine.Death) { sessions[sessions.count - 1].death = death }

    mutating func sync() { add(.sync) }
    mutating func compact(rowsInMemory: Int = 1000) { add(.compact(rowsInMemory: rowsInMemory)) }
}

/// Why a history did not go as it should.
struct HistoryFailure: Error {
    var what: String
}

/// Does on a machine what a history says.
struct HistoryRun {
    let machine: DiskMachine
    let history: StoreHistory
    private var number = 0
    /// Whether the first opening wrote something.
    private(set) var openingWrote = false

    init(_ history: StoreHistory, on machine: DiskMachine) {
        self.history = history
        self.machine = machine
    }

    mutating func run() throws(HistoryFailure) {
        for (position, session) in history.sessions.enumerated() {
            do throws(StoreError) {
                try run(session, isFirst: position == 0)
            } catch {
                throw HistoryFailure(what: "\(error)")
            }
        }
    }

    private mutating func run(_ session: StoreHistory.Session, isFirst: Bool) throws(StoreError) {
        let last = session.steps.count - 1
        do throws(StoreError) {
            if let death = session.death, last < 0 { machine.kill(in: death) }
            var core = try begin(session.beginning)
            if isFirst { openingWrote = machine.storeSyncCount > 0 }
            for (position, step) in session.steps.enumerated() {
                if let death = session.death, position == last { machine.kill(in: death) }
                try perform(step, &core)
            }
            precondition(session.death == nil, "the last step has this sync in it")
        } catch {
            if session.death == nil || !machine.hasKilled { throw error }
        }
    }

    private mutating func begin(
        _ beginning: StoreHistory.Session.Beginning
    ) throws(StoreError) -> StoreWriterCore<DiskHost> {
        let host = DiskHost(machine)
        if case .open = beginning {
            return try StoreWriterCore.open(
                host: host, registry: LockRegistry(), path: Scene.data, options: history.options)
        }
        if case .replaceDamaged = beginning { number += 1 }
        number += 1
        machine.begin(number)
        let core = try StoreWriterCore.create(
            host: host, registry: LockRegistry(), path: Scene.data, dimension: ContentChange.dimension,
            metric: history.metric, options: history.options)
        machine.acknowledge(number, isDurable: true)
        return core
    }

    private mutating func perform(
        _ step: StoreHistory.Step, _ core: inout StoreWriterCore<DiskHost>
    ) throws(StoreError) {
        switch step {
        case .commit(let transaction, let durability):
            number += 1
            machine.begin(number)
            try core.commit(transaction, options: CommitOptions(durability: durability))
            machine.acknowledge(number, isDurable: durability != .none)
            if case .failure(let error) = core.lastAutomaticCompaction { throw error }
        case .ingest(let ids, let components, let commits, let durability):
            try ingest(ids, components, commits, durability, &core)
        case .sync:
            try core.sync()
            machine.acknowledge(number, isDurable: true)
        case .compact(let rowsInMemory):
            var work = WorkOptions()
            work.rowsInMemory = rowsInMemory
            _ = try core.compact(work)
        case .expect(let content):
            let found = try StoreContent(core.snapshot)
            if found != content {
                throw StoreError.damaged(Scene.data, offset: 0, what: "the writer sees \(found), and should \(content)")
            }
        }
    }

    private mutating func ingest(
        _ ids: [UInt64], _ components: [Float], _ commits: Int, _ durability: CommitOptions.Durability,
        _ core: inout StoreWriterCore<DiskHost>
    ) throws(StoreError) {
        var options = IngestOptions()
        options.durability = durability
        options.commitByteCount = ids.count / commits * (8 + 4 * ContentChange.dimension)
        let (machine, before, last) = (machine, number, number + commits)
        options.progress = { progress in
            machine.acknowledge(before + progress.commitCount, isDurable: progress.isDurable)
            machine.begin(min(before + progress.commitCount + 1, last))
        }
        machine.begin(before + 1)
        var ingestion = Ingestion(
            dimension: ContentChange.dimension, epoch: core.snapshot.manifest.payload.epoch, options: options)
        try ingestion.add(ids: ids, components: components, to: &core)
        _ = try ingestion.finish(in: &core)
        number = last
    }
}

extension StoreHistory: CustomStringConvertible {
    package var description: String { name }
}
