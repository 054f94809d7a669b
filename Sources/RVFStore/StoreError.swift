public import RVFLock
public import SystemPackage

/// Why a store cannot be read or written. Every case carries what its ``description`` needs to tell a person what
/// was attempted, on which file, what stands in the way, and what to do now.
public enum StoreError: Error, Equatable, Sendable {
    /// The file is there and holds no store.
    case notAStore(FilePath, NotAStore)
    /// Bytes of the store are not what was written. `offset` is where in the file, in bytes.
    case damaged(FilePath, offset: UInt64, what: String)
    /// A store is to be created where something exists already; it was left untouched.
    case exists(FilePath, ExistingFile)
    /// The writer lock cannot be had; the lock's own error says who has it, or what is in the way.
    case lock(LockError)
    /// The writer lock is no longer this writer's: nothing was published, and this writer can write no more.
    case lostLock(LockError)
    /// Somebody changed the store behind the lock since this writer's last commit; nothing was published.
    case foreignAppend(FilePath, what: String)
    /// A row of a batch cannot be taken; nothing of the batch was written. `index` counts from 0 in the batch.
    case invalidRow(FilePath, index: Int, id: UInt64, InvalidRow)
    /// A vector cannot be compared with the store's rows.
    case invalidQuery(FilePath, InvalidQuery)
    /// A checkpoint cannot be taken; nothing of its transaction was written.
    case checkpoint(FilePath, source: String, CheckpointProblem)
    /// Metadata cannot be stored, and why; nothing was written.
    case invalidMetadata(FilePath, MetadataError)
    /// Metadata is given to an id that the store does not have once the transaction is done; nothing was written.
    case metadataWithoutRow(FilePath, id: UInt64)
    /// The store, or what was asked, is beyond what the format or this package can hold; nothing was written.
    case limit(FilePath, StoreLimit)
    /// The file system has no room for a new file. Nothing was changed.
    case noSpace(FilePath, neededByteCount: UInt64, availableByteCount: UInt64)
    /// The store has other hard links, which would keep the old content; it was left as it is.
    case hardLinked(FilePath)
    /// What changed since an earlier state cannot be told, since that is not an earlier state of the same file:
    /// whatever was derived from it has to be made anew from all rows.
    case historyGone(FilePath, what: String)
    /// The work was cancelled, and left nothing behind.
    case cancelled(FilePath)
    /// The new file could not be made or could not take the store's name.
    case notReplaced(LockError)
    /// No store was created, or not durably, after the damaged file that was in the way had been moved aside.
    case notCreated(FilePath, movedTo: FilePath, LockError)
    /// The system refused a call.
    case system(StoreOperation, FilePath, Errno)
}

/// What a file is that is not a store.
public enum NotAStore: Equatable, Sendable {
    /// It has no bytes.
    case empty
    /// It is a directory, a device, a socket or a pipe.
    case notARegularFile
    /// It holds no manifest that can be believed. Where bytes looked like one, `nearest` says what was wrong with
    /// the one nearest to the end.
    case noManifest(nearest: RejectedManifest?)
}

/// What stands where a store was to be created.
public enum ExistingFile: Equatable, Sendable {
    /// A store that can be read.
    case store
    /// A file without bytes, as an interrupted create of another program leaves it.
    case emptyFile
    /// Nothing but zero bytes, as a power cut during a create leaves them.
    case zeros(byteCount: UInt64)
    /// What begins like a store, or holds what looks like a manifest, and has none that can be believed: from a create
    /// that was interrupted, or a store that is damaged.
    case brokenStore(NotAStore)
    /// What may be a store whose manifest can be checked by another version or program only.
    case otherStore(RejectedManifest)
    /// Something else.
    case somethingElse(NotAStore)
    /// It cannot be looked at.
    case unreadable(Errno)

    /// Whether ``WriterOptions/replacesDamaged`` makes room for a new store there: what was meant to be a store, and
    /// certainly cannot be read as one.
    public var isReplaceable: Bool {
        switch self {
        case .emptyFile, .zeros, .brokenStore: true
        case .store, .otherStore, .somethingElse, .unreadable: false
        }
    }
}

/// Bytes that look like a manifest and were not taken for one.
public struct RejectedManifest: Hashable, Sendable {
    /// Where its header stands in the file, in bytes.
    public var offset: UInt64
    /// Why it was not believed, for people.
    public var why: String

    package init(offset: UInt64, why: String) {
        self.offset = offset
        self.why = why
    }
}

/// What is wrong with a row.
public enum InvalidRow: Equatable, Sendable {
    /// It has another number of components than the store's rows.
    case dimension(expected: Int, found: Int)
    /// The component at this position, from 0, is infinite or not a number.
    case notFinite(component: Int)
    /// An earlier row of the batch, at this position from 0, has the same id.
    case repeatedID(firstIndex: Int)
}

/// Why rows have no distance from a vector.
public enum InvalidQuery: Equatable, Sendable {
    /// It has another number of components than the store's rows.
    case dimension(expected: Int, found: Int)
    /// The component at this position, from 0, is infinite or not a number.
    case notFinite(component: Int)
    /// The store's metric is none that is known here.
    case unknownMetric(Metric)
}

/// What a store cannot hold.
public enum StoreLimit: Equatable, Sendable {
    /// A dimension outside 1...65,535.
    case dimension(Int)
    /// A manifest would be longer than other readers look for one, in bytes.
    case manifest(byteCount: Int, maximumByteCount: Int)
    /// More rows than an index numbers.
    case rows(maximum: Int)
    /// The checkpoints of all sources together would take more bytes than one segment of them may.
    case checkpoints(byteCount: Int, maximumByteCount: Int)
    /// The epoch counter has come to its end.
    case epochs
    /// Offsets or segment ids would be beyond what can be expressed.
    case fileSize
    /// No layout was found in which other readers find the new manifest and nothing else.
    case layout
    /// More bytes look like manifests, and are none, than are worth examining.
    case lookalikes
}

/// A step at which the system can refuse.
public enum StoreOperation: String, Sendable {
    case openDirectory = "open the directory of"
    case open = "open"
    case examine = "examine"
    case read = "read"
    case write = "write to"
    case sync = "make durable"
    case syncName = "make durable the name of"
    case create = "create"
    case copyMetadata = "copy mode, owner and attributes to the new file of"
    case findSpace = "find the free space for"
    case moveAside = "move aside"
}
