/// What a check of every byte of a store found.
public struct VerificationReport: Equatable, Sendable {
    public enum Severity: String, Comparable, Sendable {
        /// Nothing is wrong: what should be known.
        case note
        /// Nothing that was committed is lost, but something is not as it should be.
        case warning
        /// Something that was committed, or may have been, cannot be read.
        case damage

        public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .note: 0
            case .warning: 1
            case .damage: 2
            }
        }
    }

    public struct Problem: Equatable, Sendable {
        /// Where it begins in the file, in bytes.
        public var offset: UInt64
        /// For people.
        public var what: String
        public var severity: Severity
    }

    /// In the order in which they were found: the manifest's first, then as they stand in the file. No more than
    /// ``problemLimit`` of each severity.
    public internal(set) var problems: [Problem] = []
    /// All of them, those that are not listed included.
    public internal(set) var noteCount = 0
    public internal(set) var warningCount = 0
    public internal(set) var damageCount = 0
    public internal(set) var byteCount: UInt64 = 0
    public internal(set) var segmentCount = 0
    /// Rows of the vector segments that the manifest names, as far as they can be read.
    public internal(set) var rowCount = 0
    /// Witnesses that could be read.
    public internal(set) var witnessCount = 0
    /// Chains of witnesses: writers begin a new one now and then, as after a compaction, which is nothing wrong.
    public internal(set) var witnessChainCount = 0
    /// Witnesses on which nobody went on, as commits leave them that failed.
    public internal(set) var abandonedWitnessCount = 0
    /// The commit that counts; nil where no manifest can be believed.
    public internal(set) var epoch: UInt32?
    public internal(set) var manifestOffset: UInt64?

    /// How many problems of each severity are listed.
    public static let problemLimit = 1000

    /// Whether everything that was committed can be read.
    public var isIntact: Bool { damageCount == 0 }
    /// Whether some problems were counted and not listed.
    public var isCut: Bool { problems.count < noteCount + warningCount + damageCount }

    mutating func add(_ severity: Severity, at offset: UInt64, _ what: String) {
        let listed: Int
        switch severity {
        case .note:
            listed = noteCount
            noteCount += 1
        case .warning:
            listed = warningCount
            warningCount += 1
        case .damage:
            listed = damageCount
            damageCount += 1
        }
        if listed < Self.problemLimit { problems.append(Problem(offset: offset, what: what, severity: severity)) }
    }
}
