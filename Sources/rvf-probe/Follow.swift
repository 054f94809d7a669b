import RVFStore
import SystemPackage

/// `look <path> seed=…`: answers lines. `look` reads the store anew, and `commit` opens it, makes the next commit, and
/// closes it; both say the number of the commit that the store is at, or what is wrong with it.
struct Looker {
    private let path: FilePath
    private var history: CommitHistory

    init(_ path: FilePath, _ settings: Settings) {
        self.path = path
        history = CommitHistory(seed: UInt64(settings.number("seed", 0)))
    }

    mutating func run() {
        while let line = Lines.next() {
            do {
                if line == "commit" { try commit() } else { try history.move(to: StoreReader(at: path).snapshot()) }
                Lines.say("at \(history.number)")
            } catch let contradiction as CommitHistory.Contradiction {
                Lines.say("failed \(contradiction.text)")
            } catch {
                Lines.say("failed \(error)")
            }
        }
    }

    private mutating func commit() throws {
        var writer = try StoreWriter.open(at: path)
        try history.move(to: writer.snapshot())
        try writer.commit(history.next())
        try writer.close()
    }
}

/// `follow <path> seed=… how=mapped|positional|anew`: reads the store again and again until its input ends. Every state
/// has to be a committed one, none older than the one before, and those that are kept have to stay what they were.
struct Follower {
    private let path: FilePath
    private let how: String
    private var history: CommitHistory
    /// Goes to and fro, where the other only goes on.
    private var keptHistory: CommitHistory
    private var random: SplitMix
    private var kept: (snapshot: Snapshot, number: UInt64)?
    private var (looks, states) = (0, 0)

    init(_ path: FilePath, _ settings: Settings) {
        self.path = path
        how = settings["how"] ?? "mapped"
        let seed = UInt64(settings.number("seed", 0))
        history = CommitHistory(seed: seed)
        keptHistory = history
        random = SplitMix(seed)
    }

    mutating func run() {
        do {
            try follow()
            Lines.say("followed looks=\(looks) states=\(states) last=\(history.number)")
        } catch let contradiction as CommitHistory.Contradiction {
            Lines.say("failed \(contradiction.text)")
        } catch {
            Lines.say("failed \(error)")
        }
    }

    private mutating func follow() throws {
        var options = ReaderOptions()
        if how == "positional" { options.readMode = .positional }
        var reader = try StoreReader(at: path, options: options)
        try check(reader.snapshot())
        Lines.say("ready")
        var isLast = false
        while !isLast {
            // Once more after the end of the input, so that it is known which state has to be found then.
            isLast = Lines.isWaiting
            looks += 1
            if how == "anew" {
                reader = try StoreReader(at: path, options: options)
                // The same state is found many times.
                let number = try CommitHistory.number(of: reader.snapshot())
                if number != history.number || random.below(50) == 0 { try check(reader.snapshot()) }
            } else if try reader.refresh() {
                try check(reader.snapshot())
            }
            Lines.pause(microseconds: UInt32(random.below(200)))
        }
    }

    private mutating func check(_ snapshot: Snapshot) throws {
        let before = history.number
        try history.move(to: snapshot)
        if history.number < before {
            throw CommitHistory.Contradiction(text: "commit \(before) was seen, and then commit \(history.number)")
        }
        if history.number > before { states += 1 }
        if let kept, random.below(20) == 0 {
            try keptHistory.move(to: kept.snapshot)
            if keptHistory.number != kept.number {
                throw CommitHistory.Contradiction(text: "what was commit \(kept.number) is now \(keptHistory.number)")
            }
            self.kept = nil
        }
        if kept == nil { kept = (snapshot, history.number) }
    }
}
