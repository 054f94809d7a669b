/// When a writer compacts its store by itself.
public enum CompactionPolicy: Sendable {
    /// Never; ``StoreWriter/compact(options:)`` and ``StoreWriter/compactIfDue(_:)`` are there to be called. The default: a
    /// compaction copies all live rows, and a call that makes a commit must not take minutes unless that was asked for.
    case manual
    /// After a commit that finds it due. The commit is durable, and visible, before the compaction begins, and counts
    /// whatever becomes of that; but its call returns only afterwards.
    /// ``StoreWriter/lastAutomaticCompaction`` says how it went.
    ///
    /// As after every compaction, ``Snapshot/changes(since:)`` cannot tell what changed since a state before it.
    case automatic(CompactionTriggers = CompactionTriggers())
}

/// When a compaction is due: all of the conditions have to hold.
///
/// What would be freed is deleted and replaced rows, superseded manifests and metadata, and the rest of what no reader
/// needs any more. It is known from counts that the writer has at hand, so that to ask costs next to nothing: it is about
/// right, and rather too low than too high.
///
/// With a ``share`` of one half, a store is copied once at most for each time that as much has been written as it
/// holds, and its file does not stay larger than twice that and ``byteCount``.
public struct CompactionTriggers: Sendable {
    /// The least share of the file that is to be freed, from 0 to 1.
    public var share = 0.5
    /// The least that is to be freed, in bytes.
    public var byteCount: UInt64 = 64 << 20
    /// The least time between the end of one try and the next, by the same writer, whether it succeeded or not.
    public var interval: Duration = .seconds(60)
    /// How the compaction is done: how fast, and who may end it.
    public var work = WorkOptions()

    public init() {}
}

/// What a writer remembers of its compactions when it has opened another file.
struct CompactionMemory: Sendable {
    /// When the last try that was due ended, on the boot clock; nil before the first.
    var endNanoseconds: Int64?
    /// Bytes that no compaction frees, beside what the counts tell: of segments of other writers that no manifest names.
    /// Nil before anybody has looked.
    var carriedByteCount: UInt64?
    /// How the last automatic one ended.
    var outcome: Result<CompactionReport, StoreError>?
}
