import RVFLock
import RVFStore
import Synchronization
import SystemPackage

/// `keep <path> seed=… turn=… [idle=1]`: opens a store, commits what is next in the history, compacts now and then, closes
/// it, and so on until it is killed. Before and after everything it says a line, so that whoever kills it knows what it
/// was about, and what it has acknowledged.
struct Keeper {
    private let path: FilePath
    private var history: CommitHistory
    private var random: SplitMix
    /// Whether it opens and closes more than it commits.
    private let isIdle: Bool

    init(_ path: FilePath, _ settings: Settings) {
        self.path = path
        let seed = UInt64(settings.number("seed", 0))
        history = CommitHistory(seed: seed)
        random = SplitMix(seed ^ UInt64(settings.number("turn", 0)) << 32)
        isIdle = settings["idle"] == "1"
    }

    mutating func run() {
        do {
            // Whoever was to kill it may be gone.
            while !Lines.isWaiting { try keep() }
        } catch let contradiction as CommitHistory.Contradiction {
            Lines.say("failed \(contradiction.text)")
        } catch {
            Lines.say("failed \(error)")
        }
    }

    private mutating func keep() throws {
        let isCompacting = Said("compacting")
        var options = WriterOptions()
        options.lock.observer = { event in
            switch event {
            case .acquired, .takenOver: Lines.say("acquired")
            default: break
            }
        }
        options.witnesses = random.below(2) == 0
        var triggers = CompactionTriggers()
        triggers.byteCount = 100_000
        triggers.interval = .zero
        triggers.work = isCompacting.options
        if random.below(2) == 0 { options.compaction = .automatic(triggers) }
        Lines.say("acquiring")
        var writer = try StoreWriter.open(at: path, options: options)
        Lines.say("opened")
        // Whoever kills it compares the rest.
        history.move(to: try CommitHistory.number(of: writer.snapshot()))
        for _ in 0..<(isIdle ? random.below(4) / 3 : random.below(8)) {
            let (durability, name) = ([(.ordered, "ordered"), (.singleSync, "single"), (.none, "none")]
                as [(CommitOptions.Durability, String)])[Int(random.below(3))]
            let transaction = history.next()
            isCompacting.forget()
            Lines.say("committing \(history.number) \(name)")
            try writer.commit(transaction, options: CommitOptions(durability: durability))
            Lines.say("committed \(history.number)")
            if case .failure(let error) = writer.lastAutomaticCompaction { throw error }
            guard random.below(3) == 0 else { continue }
            isCompacting.forget()
            isCompacting.say()
            try writer.compact(options: isCompacting.options)
            Lines.say("compacted")
        }
        if random.below(4) == 0 { try writer.sync() }
        Lines.say("releasing")
        try writer.close()
        Lines.say("released")
    }
}

/// Says a line once, until that is forgotten. Safe to use from any thread.
private final class Said: Sendable {
    private let line: String
    private let isSaid = Atomic(false)

    init(_ line: String) { self.line = line }

    func forget() { isSaid.store(false, ordering: .relaxed) }

    func say() {
        if !isSaid.exchange(true, ordering: .relaxed) { Lines.say(line) }
    }

    /// Work that says it as soon as it makes progress.
    var options: WorkOptions {
        var options = WorkOptions()
        options.progress = { [self] _ in say() }
        return options
    }
}
