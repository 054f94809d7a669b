import RVFHost
public import SystemPackage
import Synchronization

/// A writer lock that several parts of one process hold together: the first takes it, the last gives it up.
///
/// ``WriterLock`` refuses a second opener in the same process; this is for programs whose parts open the same file
/// without knowing of each other. They share the exclusion against other processes, and have to keep out of each
/// other's way themselves. Safe to use from any thread.
public struct SharedWriterLock: ~Copyable, Sendable {
    private let holding: Holding
    /// False once the share has been given up.
    private var isOwner = true

    /// The lock with the number of those who have it. The options are those of the first.
    private final class Holding: Sendable {
        let key: Key
        let held: HeldLock<POSIXHost>
        // Only touched with the table's mutex locked; atomic because the compiler cannot see that.
        let count = Atomic<Int>(0)

        init(key: Key, lock: consuming WriterLock) {
            self.key = key
            held = lock.relinquish()
        }
    }

    private struct Key: Hashable {
        var processID: Int32
        var directory: FileIdentity
        var name: FilePath
    }

    private enum Slot {
        /// Somebody is about to take it; others wait for the outcome rather than compete within the process.
        case acquiring
        case held(Holding)
    }

    private static let table = Mutex<[Key: Slot]>([:])

    private init(_ holding: Holding) {
        self.holding = holding
    }

    deinit {
        guard isOwner else { return }
        try? Self.letGo(holding)
    }

    /// Joins the lock that this process shares, or takes it first; waits as the options say. Blocks the thread.
    ///
    /// - Throws: As ``WriterLock``'s own `acquire`; in particular if this process holds the lock through
    ///   a plain ``WriterLock``.
    public static func acquire(
        protecting path: FilePath, options: LockOptions = LockOptions()
    ) throws(LockError) -> SharedWriterLock {
        let host = POSIXHost()
        let site = try LockSite(host: host, path: path)
        let key = Key(processID: host.processID, directory: site.directoryIdentity, name: site.dataName)
        while true {
            switch claim(key) {
            case .joined(let holding): return SharedWriterLock(holding)
            case .first: return try takeFirst(key, path, options)
            case .busy:
                if options.cancellation?.isCancelled == true { throw .cancelled(path) }
                // The other thread's attempt ends by its own options; a millisecond is below what anyone notices.
                host.sleep(nanoseconds: 1_000_000)
            }
        }
    }

    private enum Claim {
        case joined(Holding)
        case first
        case busy
    }

    private static func claim(_ key: Key) -> Claim {
        table.withLock { table in
            switch table[key] {
            case .acquiring: return .busy
            case .held(let holding):
                holding.count.add(1, ordering: .relaxed)
                return .joined(holding)
            case nil:
                table[key] = .acquiring
                return .first
            }
        }
    }

    private static func takeFirst(
        _ key: Key, _ path: FilePath, _ options: LockOptions
    ) throws(LockError) -> SharedWriterLock {
        do throws(LockError) {
            let holding = Holding(key: key, lock: try WriterLock.acquire(protecting: path, options: options))
            holding.count.store(1, ordering: .relaxed)
            table.withLock { $0[key] = .held(holding) }
            return SharedWriterLock(holding)
        } catch {
            table.withLock { $0[key] = nil }
            throw error
        }
    }

    private static func letGo(_ holding: Holding) throws(LockError) {
        let isLast = table.withLock { table in
            guard holding.count.subtract(1, ordering: .relaxed).newValue == 0 else { return false }
            // The slot stays taken until the release is through, so that nobody of this process is refused by it.
            table[holding.key] = .acquiring
            return true
        }
        guard isLast else { return }
        defer { table.withLock { $0[holding.key] = nil } }
        RenewalTimer.shared.remove(holding.held)
        try holding.held.release()
    }

    /// How many parts of this process have the lock.
    public var holderCount: Int { holding.count.load(ordering: .relaxed) }

    /// What tells this acquisition from every other; stands in the lock file.
    public var writerID: WriterID { holding.held.writerID }

    /// As ``WriterLock/validate()``.
    public func validate() throws(LockError) { try holding.held.validate() }

    /// Gives this part's share up; the last one releases the lock.
    ///
    /// - Throws: As ``WriterLock/release()``, from the last one.
    public consuming func release() throws(LockError) {
        let holding = holding
        isOwner = false
        try Self.letGo(holding)
    }
}
