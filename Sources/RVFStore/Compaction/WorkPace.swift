import RVFHost
import Synchronization
import SystemPackage

/// How far a long piece of work on a store is.
public struct StoreProgress: Equatable, Sendable {
    /// Bytes that have been read or written so far.
    public var doneByteCount: UInt64
    /// What that will come to at the end, as far as is known. Not less than `doneByteCount`.
    public var totalByteCount: UInt64
}

/// Ends a long piece of work from another thread. Safe to use from any thread; final once used.
public final class StoreCancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    public init() {}

    /// The work throws ``StoreError/cancelled(_:)`` before its next megabyte, and leaves nothing behind.
    public func cancel() { flag.store(true, ordering: .releasing) }

    public var isCancelled: Bool { flag.load(ordering: .acquiring) }
}

/// How a long piece of work on a store is done: compacting, copying, checking, repairing.
public struct WorkOptions: Sendable {
    /// Called about once a megabyte, on the thread that does the work.
    public var progress: (@Sendable (StoreProgress) -> Void)?
    public var cancellation: StoreCancellation?
    /// No more bytes than this a second, reads and writes together; nil for as fast as it goes.
    public var bytesPerSecond: UInt64?
    package var limits = CommitLimits()
    /// How many rows are compared in memory at once; more of them go through the new file.
    package var rowsInMemory = 1_500_000

    public init() {}
}

/// What a long piece of work does between two chunks: it tells how far it is, ends where it was cancelled, waits
/// where it is too fast, and looks at intervals whether it may still go on.
struct WorkPace<H: Host>: ~Copyable {
    private let host: H
    private let path: FilePath
    private let options: WorkOptions
    private let totalByteCount: UInt64
    private let start: Int64
    private var doneByteCount: UInt64 = 0
    private var checkedNanoseconds: Int64
    private let check: () throws(StoreError) -> Void

    /// The lock is renewed every ten seconds and lost after twenty; one second notices in good time.
    private static var checkIntervalNanoseconds: Int64 { 1_000_000_000 }
    /// A cancellation is not kept waiting for longer.
    private static var longestSleepNanoseconds: Int64 { 50_000_000 }

    init(
        host: H, path: FilePath, options: WorkOptions, totalByteCount: UInt64,
        check: @escaping () throws(StoreError) -> Void = { () throws(StoreError) in }
    ) {
        self.host = host
        self.path = path
        self.options = options
        self.totalByteCount = totalByteCount
        self.check = check
        start = host.bootClockNanoseconds()
        checkedNanoseconds = start
    }

    /// Accounts for bytes that were read or written.
    mutating func advance(_ byteCount: Int) throws(StoreError) {
        doneByteCount += UInt64(byteCount)
        options.progress?(
            StoreProgress(doneByteCount: doneByteCount, totalByteCount: max(doneByteCount, totalByteCount)))
        try look()
        guard let rate = options.bytesPerSecond, rate > 0 else { return }
        let due = Double(doneByteCount) / Double(rate) * 1e9
        while true {
            let left = due - Double(host.bootClockNanoseconds() - start)
            guard left >= 1 else { return }
            host.sleep(nanoseconds: Int64(min(left, Double(Self.longestSleepNanoseconds))))
            try look()
        }
    }

    private mutating func look() throws(StoreError) {
        if options.cancellation?.isCancelled == true { throw StoreError.cancelled(path) }
        let now = host.bootClockNanoseconds()
        guard now - checkedNanoseconds >= Self.checkIntervalNanoseconds else { return }
        checkedNanoseconds = now
        try check()
    }
}
