public import RVFLock
public import SystemPackage

/// How a store is written.
public struct WriterOptions: Sendable {
    /// How the writer lock is taken: whether to wait for it, and whom to believe.
    public var lock = LockOptions()
    /// The mode of a file that is created, subject to the umask.
    public var permissions = FilePermissions(rawValue: 0o666)
    /// How the writer reads what the store holds already.
    public var readMode: ReadMode = .mapped
    /// Whether ``StoreWriter/create(at:dimension:metric:options:)`` moves a file aside that was meant to be a store and
    /// cannot be read as one (``ExistingFile/isReplaceable``): what a create of another program left when it was
    /// interrupted, or a store that is damaged. It gets the first free name of `<file>.damaged-1`, `-2` and so on;
    /// nothing is overwritten, and ``StoreWriter/displacedFile`` says where it is.
    public var replacesDamaged = false
    /// Whether every commit leaves a witness: a line of the store's history, chained to the one before by a hash that
    /// finds accidents (it is not cryptographic). It is a matter of the writer and not of single commits, since a
    /// history with gaps proves nothing. ``StoreVerification`` follows the chains.
    public var witnesses = false
    /// Whether the writer compacts the store by itself, and when.
    public var compaction = CompactionPolicy.manual
    package var limits = CommitLimits()

    public init() {}
}
