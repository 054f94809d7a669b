public import RVFHost
import Synchronization
public import SystemPackage

/// The calls of a ``Host`` that a script sees. Clocks, randomness and identity are overridden, not scripted: nothing
/// can happen "at" them that could not happen at the next of these.
public enum HostCall: String, Sendable, CaseIterable {
    case openDirectory, openDirectoryForReading, names, checkWritable, resolve
    case open, openUnnamed, linkUnnamed, close, read, write, status, statusOfName, truncate, setPermissions
    case copyMetadata, availableBytes
    case sync, syncData, map, link, rename, renameExclusively, exchange, unlink
    case tryLock, fileSystemType, lockingProcess, watch, awaitChange, sleep, processState
    case listen, accept, connect, peerUserID, send, receive

    /// Whether the call changes anything that another process could see.
    public var changesSomething: Bool {
        switch self {
        case .openUnnamed, .linkUnnamed, .write, .truncate, .setPermissions, .copyMetadata, .sync, .syncData, .link,
            .rename, .renameExclusively, .exchange, .unlink, .tryLock, .listen, .send:
            true
        default: false
        }
    }
}

/// What a test does to one simulated process: failing or disturbing single calls, and lying about clocks, names and
/// file systems. Safe to use from any thread.
public final class HostScript: Sendable {
    /// One call as it is about to be made.
    public struct Call: Sendable {
        public var kind: HostCall
        /// How many scripted calls came before it on this host.
        public var index: Int
        /// The (first) name or path of the call, where it has one.
        public var name: FilePath?
        /// The mode, for ``HostCall/open``.
        public var accessMode: FileDescriptor.AccessMode?
        /// Which directory, for a sync of one.
        public var directory: FileIdentity?
    }

    /// Called before each call, outside of any mutex: it may do what it likes, even use other hosts. An errno makes
    /// the call fail with it, instead of being made (calls that cannot fail are made all the same).
    public typealias Interceptor = @Sendable (Call) -> Errno?

    public struct Settings: Sendable {
        public var interceptor: Interceptor?
        /// Calls that this system does not know, with what it says to them.
        public var unsupported: [HostCall: Errno] = [:]
        /// Added to the base's clocks.
        public var wallOffsetNanoseconds: Int64 = 0
        public var bootOffsetNanoseconds: Int64 = 0
        /// Whether sleeping only advances this host's clocks.
        public var sleepsAreFake = true
        /// No more bytes than this in one read or write.
        public var mostBytesAtOnce: Int?
        /// The call of this index reads or writes only half of what it is asked for.
        public var partialCall: Int?
        public var fileSystemType: FileSystemType?
        /// No more free space than this.
        public var mostAvailableBytes: UInt64?
        /// Where relative paths begin; the real process's working directory if nil.
        public var workingDirectory: FilePath?
        public var processID: Int32?
        public var userID: UInt32?
        public var hostName: [UInt8]?
        /// Nil: the base's. Empty: no variable is set.
        public var environment: [String: [UInt8]]?
        /// Files that ``Host/systemFile(_:)`` gives; others are the base's. A nil value hides the file.
        public var systemFiles: [String: [UInt8]?] = [:]
        /// Asked before the base; nil passes on.
        public var processState: (@Sendable (Int32) -> ProcessState?)?
    }

    private struct State {
        var settings = Settings()
        var nextIndex = 0
        var log: [Call] = []
        var openDescriptors: Set<Int32> = []
        var wrongCloses: [Int32] = []
        var sleptNanoseconds: Int64 = 0
    }

    private let state = Mutex(State())

    public init() {}

    public var settings: Settings { state.withLock { $0.settings } }

    public func update(_ change: (inout Settings) -> Void) {
        state.withLock { change(&$0.settings) }
    }

    public func intercept(_ interceptor: Interceptor?) {
        state.withLock { $0.settings.interceptor = interceptor }
    }

    /// Lets time pass on both clocks.
    public func advance(seconds: Double) {
        let nanoseconds = Int64(seconds * 1e9)
        update {
            $0.wallOffsetNanoseconds += nanoseconds
            $0.bootOffsetNanoseconds += nanoseconds
        }
    }

    // MARK: What happened

    /// All scripted calls since the last ``reset()``.
    public var log: [Call] { state.withLock { $0.log } }
    public var callCount: Int { state.withLock { $0.nextIndex } }
    public var sleptNanoseconds: Int64 { state.withLock { $0.sleptNanoseconds } }
    /// What this host has opened and not closed. Precise even while other tests run in the same process.
    public var openDescriptors: Set<Int32> { state.withLock { $0.openDescriptors } }
    /// Numbers that were closed without being open: somebody else's file may have had them.
    public var wrongCloses: [Int32] { state.withLock { $0.wrongCloses } }

    /// Forgets the calls so far, and counts from 0 again.
    public func reset() {
        state.withLock {
            $0.nextIndex = 0
            $0.log = []
            $0.sleptNanoseconds = 0
        }
    }

    // MARK: For FaultyHost

    /// Notes a call and asks the interceptor.
    func begin(
        _ kind: HostCall, _ name: FilePath? = nil, mode: FileDescriptor.AccessMode? = nil, directory: FileIdentity? = nil
    ) -> Errno? {
        let (call, settings) = state.withLock { state in
            let call = Call(kind: kind, index: state.nextIndex, name: name, accessMode: mode, directory: directory)
            state.nextIndex += 1
            state.log.append(call)
            return (call, state.settings)
        }
        if let failure = settings.interceptor?(call) { return failure }
        return settings.unsupported[kind]
    }

    /// How many of so many bytes the newest call, a read or a write, is about.
    func byteCount(of asked: Int) -> Int {
        state.withLock { state in
            let isPartial = state.settings.partialCall == state.nextIndex - 1 && asked > 1
            return min(isPartial ? asked / 2 : asked, state.settings.mostBytesAtOnce ?? .max)
        }
    }

    func check(
        _ kind: HostCall, _ name: FilePath? = nil, mode: FileDescriptor.AccessMode? = nil, directory: FileIdentity? = nil
    ) throws(Errno) {
        if let failure = begin(kind, name, mode: mode, directory: directory) { throw failure }
    }

    /// A path as the simulated process means it.
    func absolute(_ path: FilePath) -> FilePath {
        guard let base = settings.workingDirectory, path.isRelative else { return path }
        return base.pushing(path)
    }

    func opened(_ descriptor: FileDescriptor) -> FileDescriptor {
        state.withLock { _ = $0.openDescriptors.insert(descriptor.rawValue) }
        return descriptor
    }

    /// Before the close itself: afterwards another thread may have the number.
    func closing(_ descriptor: FileDescriptor) {
        KnownGuards.remove(descriptor.rawValue)
        state.withLock {
            if $0.openDescriptors.remove(descriptor.rawValue) == nil { $0.wrongCloses.append(descriptor.rawValue) }
        }
    }

    /// True where the sleep was faked.
    func sleepIsFaked(nanoseconds: Int64) -> Bool {
        state.withLock {
            $0.sleptNanoseconds += nanoseconds
            guard $0.settings.sleepsAreFake else { return false }
            $0.settings.wallOffsetNanoseconds += nanoseconds
            $0.settings.bootOffsetNanoseconds += nanoseconds
            return true
        }
    }
}
