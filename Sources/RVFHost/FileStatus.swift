/// What names one file for as long as it exists: the device it lives on and its inode there.
public struct FileIdentity: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64

    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// The part of `stat` that this package looks at.
public struct FileStatus: Hashable, Sendable {
    public enum Kind: Sendable {
        case regular, directory, symbolicLink, fifo, socket, device
    }

    public var identity: FileIdentity
    public var kind: Kind
    public var sizeBytes: Int64
    /// The twelve permission bits.
    public var permissions: UInt32
    public var linkCount: UInt64
    public var owner: UInt32
    public var group: UInt32
    /// Nanoseconds since 1970 on the file system's clock.
    public var modifiedNanoseconds: Int64

    public init(
        identity: FileIdentity, kind: Kind, sizeBytes: Int64, permissions: UInt32, linkCount: UInt64,
        owner: UInt32, group: UInt32, modifiedNanoseconds: Int64
    ) {
        self.identity = identity
        self.kind = kind
        self.sizeBytes = sizeBytes
        self.permissions = permissions
        self.linkCount = linkCount
        self.owner = owner
        self.group = group
        self.modifiedNanoseconds = modifiedNanoseconds
    }
}

/// How far an `flock` on a file system can be believed, from a closed list of types.
public enum GuardMeaning: Sendable {
    /// Every process that reaches the file sees the lock, and a free lock proves that nobody has it.
    case coherent
    /// A busy lock proves that somebody has it; a free one proves nothing (overlayfs: the same file
    /// reached through its upper directory does not see the lock).
    case layered
    /// Nothing is proven, and taking one may hang or shut readers out: none is taken.
    case remote
}

/// The type of a mounted file system, as far as locks are concerned.
public struct FileSystemType: Hashable, Sendable {
    /// A short name for messages, such as `ext4`.
    public var name: String
    public var guardMeaning: GuardMeaning

    public init(name: String, guardMeaning: GuardMeaning) {
        self.name = name
        self.guardMeaning = guardMeaning
    }
}

/// What can be seen of a process id without that process's help.
public enum ProcessState: Equatable, Sendable {
    /// A process with this id exists (perhaps another user's, perhaps a later bearer of the same id).
    case alive
    /// No process has this id: it does not exist, it is a zombie, or it is only a thread's id.
    case dead
}

/// What helps a person to recognise a process.
public struct ProcessDescription: Equatable, Sendable {
    /// Program and arguments, cut to a line; nil where the system hides them.
    public var command: String?
    /// Nanoseconds since 1970; nil where unknown.
    public var startedNanoseconds: Int64?

    public init(command: String?, startedNanoseconds: Int64?) {
        self.command = command
        self.startedNanoseconds = startedNanoseconds
    }
}
