/// Follows the chains of a file's witnesses, in the order in which they stand there.
///
/// A commit that failed, or that a crash undid, leaves a witness on which nobody goes on: the next one goes on from an
/// earlier one. So a witness may name any of the earlier ones of its chain; those on which nobody went on are counted.
struct WitnessChainCheck: Sendable {
    enum Verdict: Equatable, Sendable {
        /// The first of a chain.
        case start
        /// Goes on from an earlier one.
        case next
        /// Names one that is not there.
        case broken
    }

    private struct Link: Sendable {
        var hash: WitnessHash
        var isContinued = false
    }

    /// Of the chain so far, the last ones.
    private var links: [Link] = []
    /// Whether a witness before could not be read, so that nobody knows what the next one should name.
    private var isLost = false
    /// In the chains that have ended, and of what is not remembered any more.
    private var counted = 0

    /// More than any number of failures in a row.
    private static let rememberedLimit = 1024

    /// Witnesses on which nobody went on, the last one of each chain left out.
    var abandonedCount: Int { counted + links.dropLast().count { !$0.isContinued } }

    mutating func judge(_ witness: WitnessPayload, hash: WitnessHash) -> Verdict {
        defer {
            if links.count == Self.rememberedLimit, !links.removeFirst().isContinued { counted += 1 }
            links.append(Link(hash: hash))
            isLost = false
        }
        if witness.previousHash == .none {
            counted = abandonedCount
            links = []
            return .start
        }
        if let position = links.lastIndex(where: { $0.hash == witness.previousHash }) {
            links[position].isContinued = true
            return .next
        }
        guard isLost else { return .broken }
        // It goes on from the one that is lost, and that one from the one before.
        if !links.isEmpty { links[links.count - 1].isContinued = true }
        return .next
    }

    /// Tells of a witness that cannot be read.
    mutating func lose() { isLost = true }
}
