import RVFStore
import SystemPackage

/// Commits that follow from a seed, one by one, and what a store holds after each: so any process can tell whether what
/// it finds is a committed state, and which.
///
/// Every commit leaves its number in the store, as a checkpoint and as metadata of the file.
struct CommitHistory {
    /// What a store holds is the state after no commit.
    struct Contradiction: Error {
        var text: String
    }

    static let dimension = 256
    private static let source = "history"
    /// So often everything is deleted, so that nobody has to go through all commits to know a state.
    private static let chapterLength: UInt64 = 64
    /// Ids that are replaced, deleted and revived; those of large commits lie beyond.
    private static let smallIDs: UInt64 = 48

    private let seed: UInt64
    private(set) var number: UInt64 = 0
    /// The commit that wrote the row of each id, which determines the row.
    private var writers: [UInt64: UInt64] = [:]
    private var notes: [UInt64: Int64] = [:]
    /// Ids that the newest commit upserts: a transaction takes each once.
    private var upserted: Set<UInt64> = []

    init(seed: UInt64) { self.seed = seed }

    // MARK: Making

    /// The next commit; what it leaves is the state from then on.
    mutating func next() -> Transaction {
        number += 1
        upserted = []
        var random = SplitMix(seed &+ number &* 0x9E37_79B9)
        var transaction = Transaction()
        if number % Self.chapterLength == 0 {
            transaction.delete(ids: writers.keys.sorted())
            writers = [:]
            notes = [:]
        } else {
            for _ in 0...random.below(3) { change(&transaction, &random) }
        }
        transaction.setCheckpoint(source: Self.source, count: number, offset: Array("at \(number)".utf8))
        transaction.setFileMetadata(.int64(Int64(number)), for: "commit")
        return transaction
    }

    private mutating func change(_ transaction: inout Transaction, _ random: inout SplitMix) {
        switch random.below(8) {
        case 0...2: upsert(Set((0...random.below(3)).map { _ in random.below(Self.smallIDs) }), &transaction)
        // More than 64 KiB, so that rows have an index and the manifest is out of other readers' sight on its way.
        case 3: upsert(Set(1000..<(1065 + random.below(20))), &transaction)
        case 4: upsert(Set(1000..<(1000 + random.below(30))), &transaction)
        case 5:
            let gone = (0...random.below(4)).map { _ in random.below(Self.smallIDs) }
            transaction.delete(ids: gone)
            for id in gone { (writers[id], notes[id]) = (nil, nil) }
        default:
            guard !writers.isEmpty else { return }
            let ids = writers.keys.filter { $0 < Self.smallIDs }.sorted()
            for id in ids.prefix(Int(random.below(4))) {
                let note: Int64? = random.below(3) == 0 ? nil : Int64(number)
                if let note { transaction.setMetadata("note", to: .int64(note), for: id) }
                if note == nil { transaction.removeMetadata("note", for: id) }
                notes[id] = note
            }
        }
    }

    private mutating func upsert(_ ids: Set<UInt64>, _ transaction: inout Transaction) {
        let new = ids.subtracting(upserted).sorted()
        upserted.formUnion(new)
        for id in new { writers[id] = number }
        transaction.upsert(new.map { Row(id: $0, vector: Self.vector(of: $0, writtenBy: number)) })
    }

    private static func vector(of id: UInt64, writtenBy commit: UInt64) -> [Float] {
        [Float](repeating: Float((id &* 31 &+ commit &* 7919) % (1 << 20)), count: dimension)
    }

    // MARK: Finding

    /// Goes to the state after a commit, from the last commit that left nothing.
    mutating func move(to commit: UInt64) {
        let chapter = commit / Self.chapterLength * Self.chapterLength
        if number > commit || number < chapter {
            number = chapter
            writers = [:]
            notes = [:]
        }
        while number < commit { _ = next() }
    }

    /// The commit that a store says it is at.
    static func number(of snapshot: Snapshot) throws -> UInt64 {
        try snapshot.checkpoint(source: source)?.count ?? 0
    }

    /// Goes to the state that a store holds, all of which is compared.
    mutating func move(to snapshot: Snapshot) throws {
        move(to: try Self.number(of: snapshot))
        let checkpoint = try snapshot.checkpoint(source: Self.source)
        let offset = number == 0 ? nil : Array("at \(number)".utf8)
        guard checkpoint?.offset == offset else { throw contradiction("the checkpoint has another offset") }
        let value = try snapshot.fileMetadata["commit"]
        guard value == (number == 0 ? nil : .int64(Int64(number))) else {
            throw contradiction("the file's metadata says \(String(describing: value))")
        }
        guard snapshot.liveCount == writers.count else { throw contradiction("it counts \(snapshot.liveCount) rows") }
        var found: Set<UInt64> = []
        var wrong: UInt64?
        try snapshot.forEachRow { id, vector in
            found.insert(id)
            guard let writer = writers[id], vector.array() == Self.vector(of: id, writtenBy: writer) else { return wrong = id }
        }
        if let wrong { throw contradiction("it has another row \(wrong)") }
        guard found.count == writers.count else { throw contradiction("it has \(found.count) rows") }
        for id in 0..<Self.smallIDs {
            guard try snapshot.metadataValue("note", of: id) == notes[id].map(MetadataValue.int64) else {
                throw contradiction("\(id) has another note")
            }
        }
    }

    private func contradiction(_ what: String) -> Contradiction {
        Contradiction(text: "seed \(seed), after commit \(number) there are \(writers.count) rows, but \(what)")
    }
}

/// SplitMix64, as published by Sebastiano Vigna.
struct SplitMix {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// From 0 to below a limit; that low numbers are a little likelier does not matter here.
    mutating func below(_ limit: UInt64) -> UInt64 { next() % limit }
}
