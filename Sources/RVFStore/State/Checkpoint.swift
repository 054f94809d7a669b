/// How far a source of events has been taken into a store.
public struct Checkpoint: Equatable, Sendable {
    /// The name of the source: 1 to 255 bytes of UTF-8. Names are told apart by their bytes.
    public var source: String
    /// How many events of the source are in the store.
    public var count: UInt64
    /// Where the source goes on, in its own terms: up to 4,096 bytes.
    public var offset: [UInt8]

    public init(source: String, count: UInt64, offset: [UInt8] = []) {
        self.source = source
        self.count = count
        self.offset = offset
    }
}

/// Why a checkpoint is refused.
public enum CheckpointProblem: Equatable, Sendable {
    /// It counts fewer events than the store has already.
    case goesBack(stored: UInt64, given: UInt64)
    /// It counts as many events as the stored one, and has another offset.
    case otherOffset(stored: UInt64, given: UInt64)
    /// A name of this many bytes.
    case sourceByteCount(Int)
    /// An offset of this many bytes.
    case offsetByteCount(Int)
}

/// The checkpoints of a store, one for each source, and the rules by which they change.
package struct CheckpointList: Equatable, Sendable {
    /// By rising bytes of their source.
    package private(set) var all: [Checkpoint] = []

    /// What all of them may take in a payload: several hundred sources with long offsets, and still written with every
    /// commit.
    package static let byteLimit = 128 << 10
    package static let sourceByteLimit = 255
    package static let offsetByteLimit = 4096

    package init() {}

    /// - Parameter all: distinct, by rising bytes of their source.
    init(rising all: [Checkpoint]) {
        self.all = all
    }

    package subscript(source: String) -> Checkpoint? {
        position(of: source).found.map { all[$0] }
    }

    private func position(of source: String) -> (found: Int?, insertion: Int) {
        let name = ExactText(source)
        let insertion = all.firstIndex { !(ExactText($0.source) < name) } ?? all.count
        let isThere = insertion < all.count && ExactText(all[insertion].source) == name
        return (isThere ? insertion : nil, insertion)
    }

    /// Takes a checkpoint that is further than, or the same as, the one that is there.
    mutating func set(_ checkpoint: Checkpoint) throws(CheckpointFailure) {
        if let stored = self[checkpoint.source] {
            let (before, now) = (stored.count, checkpoint.count)
            if now < before { throw CheckpointFailure(checkpoint, .goesBack(stored: before, given: now)) }
            if now == before, stored.offset != checkpoint.offset {
                throw CheckpointFailure(checkpoint, .otherOffset(stored: before, given: now))
            }
        }
        try restore(checkpoint)
    }

    /// Takes a checkpoint whatever is there.
    mutating func restore(_ checkpoint: Checkpoint) throws(CheckpointFailure) {
        let nameByteCount = checkpoint.source.utf8.count
        guard (1...Self.sourceByteLimit).contains(nameByteCount) else {
            throw CheckpointFailure(checkpoint, .sourceByteCount(nameByteCount))
        }
        guard checkpoint.offset.count <= Self.offsetByteLimit else {
            throw CheckpointFailure(checkpoint, .offsetByteCount(checkpoint.offset.count))
        }
        let (found, insertion) = position(of: checkpoint.source)
        if let found { all[found] = checkpoint } else { all.insert(checkpoint, at: insertion) }
    }

    mutating func remove(_ source: String) {
        if let found = position(of: source).found { all.remove(at: found) }
    }

    /// These checkpoints, but none further than in another list: to go back is meant for good.
    func noFurther(than other: CheckpointList) -> CheckpointList {
        CheckpointList(
            rising: all.compactMap { checkpoint in
                guard let limit = other[checkpoint.source] else { return nil }
                return checkpoint.count < limit.count ? checkpoint : limit
            })
    }
}

/// A checkpoint that is refused, before anybody says of which store.
struct CheckpointFailure: Error {
    var source: String
    var problem: CheckpointProblem

    init(_ checkpoint: Checkpoint, _ problem: CheckpointProblem) {
        source = checkpoint.source
        self.problem = problem
    }
}
