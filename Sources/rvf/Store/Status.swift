import ArgumentParser
import RVFLock
import RVFStore
import SystemPackage

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Say what a store holds, and whether somebody writes to it.",
        discussion: "Takes no lock, and works beside a writer.\n\n\(Outcome.help)")

    @OptionGroup var store: StoreArgument
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let snapshot = try store.snapshot()
        let lock = LockStatus(of: store.file)
        let metadata = MetadataSummary(snapshot)
        try output.console.say(text(snapshot, metadata, lock), json: json(snapshot, metadata, lock))
    }

    private func json(_ snapshot: Snapshot, _ metadata: MetadataSummary, _ lock: LockStatus) -> JSON {
        .object([
            ("path", .string(store.file.string)),
            ("dimension", .integer(Int64(snapshot.dimension))),
            ("metric", .string(snapshot.metric.word)),
            ("vectors", .integer(Int64(snapshot.liveCount))),
            ("deleted", .integer(Int64(snapshot.deletedCount))),
            ("epoch", .integer(Int64(snapshot.epoch))),
            ("segments", .integer(Int64(snapshot.segments.count))),
            ("metadataFields", metadata.json), ("fileMetadata", metadata.fileKeys.map { .integer(Int64($0)) } ?? .null),
            ("bytes", .unsigned(snapshot.fileByteCount)),
            ("unpublishedBytes", .unsigned(snapshot.unpublishedByteCount)),
            ("lock", .string(lock.stateWord)),
        ])
    }

    private func text(_ snapshot: Snapshot, _ metadata: MetadataSummary, _ lock: LockStatus) -> String {
        var rows: [(name: String, value: String)] = [
            ("dimension", "\(snapshot.dimension)"),
            ("metric", "\(snapshot.metric)"),
            ("vectors", "\(snapshot.liveCount)"),
            ("deleted", "\(snapshot.deletedCount)"),
            ("epoch", "\(snapshot.epoch)"),
            ("segments", "\(snapshot.segments.count)"),
            ("bytes", "\(snapshot.fileByteCount)"),
        ]
        rows += metadata.rows
        if snapshot.unpublishedByteCount > 0 {
            let rejected = snapshot.rejectedManifests.first.map { "; what stands at byte \($0.offset) \($0.why)" } ?? ""
            rows.append((
                "unpublished",
                "\(snapshot.unpublishedByteCount) bytes behind the newest commit, which do not count\(rejected)"
            ))
        }
        rows.append(("lock", lock.state == .free ? "free" : "\(lock)"))
        return "\(store.file)\n" + aligned(rows)
    }
}

extension Metric {
    /// As `--metric` takes it.
    var word: String {
        switch self {
        case .squaredL2: "l2"
        case .innerProduct: "ip"
        case .cosine: "cosine"
        default: "\(rawValue)"
        }
    }
}
