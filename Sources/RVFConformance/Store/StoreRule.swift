/// What a writer of stores has to keep to, beyond what a reader needs: `spec/store-format.md` as it is written. Each
/// rule is known to scripts by its raw value.
package enum StoreRule: String, CaseIterable, Sendable {
    case damage
    case verification
    case headerZeros = "header-zeros"
    case hashSet = "hash-set"
    case hashKind = "hash-kind"
    case segmentSize = "segment-size"
    case segmentType = "segment-type"
    case segmentVersion = "segment-version"
    case alignment
    case stray
    case segmentIDs = "segment-ids"
    case manifestReach = "manifest-reach"
    case manifestZeros = "manifest-zeros"
    case manifestEpoch = "manifest-epoch"
    case manifestMetric = "manifest-metric"
    case manifestDirectory = "manifest-directory"
    case identity
    case deletedRising = "deleted-rising"
    case total
    case journal
    case witnessChain = "witness-chain"
    case uncommitted

    package var summary: String {
        switch self {
        case .damage: "all that is committed can be read"
        case .verification: "nothing that `rvf verify` warns of"
        case .headerZeros: "fields of segment headers that have no use are zero"
        case .hashSet: "every segment has a content hash"
        case .hashKind: "content hashes are the four rotations of a CRC-32"
        case .segmentSize: "no segment is over 256 MiB"
        case .segmentType: "segment types are in the table, or free for private use"
        case .segmentVersion: "segments have version 1"
        case .alignment: "segments begin at multiples of 64"
        case .stray: "there is nothing between segments but zeros, fewer than 64"
        case .segmentIDs: "no segment id is used twice"
        case .manifestReach: "the newest manifest's header is in the last 64 KiB"
        case .manifestZeros: "the reserved bytes of manifests are zero"
        case .manifestEpoch: "each manifest's epoch is one more than the one before"
        case .manifestMetric: "the metric is one of the table"
        case .manifestDirectory: "manifests name neither manifests nor witnesses but the newest"
        case .identity: "the store has an identity"
        case .deletedRising: "deleted ids rise, each stands once"
        case .total: "the total is the number of distinct ids in the vector segments"
        case .journal: "journals can be read"
        case .witnessChain: "each witness has zeros or the hash of an earlier one of its chain"
        case .uncommitted: "no segments stand behind the newest manifest but witnesses"
        }
    }
}

/// Where a store's file is not as the format page has it.
package struct StoreFinding: Equatable, Sendable {
    package enum Grade: String, Comparable, Sendable {
        /// Readers bear with it.
        case advice
        /// Against the format, or out of some reader's reach.
        case error
        /// What was committed cannot be read.
        case damage

        package static func < (left: Grade, right: Grade) -> Bool { left.rank < right.rank }
        private var rank: Int { self == .advice ? 0 : self == .error ? 1 : 2 }
    }

    package var offset: UInt64
    package var rule: StoreRule
    package var grade: Grade
    package var what: String
}

/// All findings of one file.
package struct StoreFindings: Equatable, Sendable {
    /// How many of each rule are listed.
    package static let listLimit = 100

    /// In the order in which they were found; no more than ``listLimit`` of a rule.
    package private(set) var listed: [StoreFinding] = []
    private var counts: [StoreRule: Int] = [:]
    package private(set) var adviceCount = 0
    package private(set) var errorCount = 0
    package private(set) var damageCount = 0

    package init() {}

    package mutating func add(_ grade: StoreFinding.Grade, _ rule: StoreRule, at offset: UInt64, _ what: String) {
        switch grade {
        case .advice: adviceCount += 1
        case .error: errorCount += 1
        case .damage: damageCount += 1
        }
        counts[rule, default: 0] += 1
        if count(of: rule) <= Self.listLimit {
            listed.append(StoreFinding(offset: offset, rule: rule, grade: grade, what: what))
        }
    }

    /// All of a rule, those that are not listed included.
    package func count(of rule: StoreRule) -> Int { counts[rule] ?? 0 }

    package var isConforming: Bool { errorCount + damageCount == 0 }

    /// A result for each rule, for reports.
    package func results(of file: String) -> [ScenarioResult] {
        StoreRule.allCases.map { rule in
            let own = listed.filter { $0.rule == rule }
            let worst = own.max { $0.grade < $1.grade }
            let text = worst.map { "\($0.grade.rawValue) at byte \($0.offset): \($0.what) (\(count(of: rule)) in all)" }
            let isPass = worst?.grade ?? .advice == .advice
            return ScenarioResult(
                name: "\(file): \(rule.rawValue)", summary: rule.summary,
                verdict: isPass ? .pass(text ?? "") : .fail(text ?? ""), seconds: 0)
        }
    }
}
