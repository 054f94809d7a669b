import RVFHost
import SystemPackage

/// The mark that waiters leave on the protected file for whoever releases the lock. Fairness only, never exclusion.
enum WaiterMark {
    /// Marks the protected file for as long as the descriptor that is returned stays open.
    static func leave<H: Host>(at site: LockSite<H>) -> FileDescriptor? {
        guard let status = try? site.dataStatus(), status.kind == .regular,
            let file = try? site.host.open(
                site.dataName, in: site.directory, .readOnly, options: [.nonBlocking], permissions: [])
        else { return nil }
        site.host.markWaiter(on: file)
        return file
    }
}

/// The pauses between attempts: woken by the file system where it tells, else ever longer ones with jitter.
struct Waiter<H: Host> {
    private let site: LockSite<H>
    private let options: LockOptions
    private let startNanoseconds: Int64
    private var host: H { site.host }

    private var watch: FileDescriptor?
    private var mark: FileDescriptor?
    private var isPrepared = false
    private var delayNanoseconds = Waiter.shortestDelay
    private var reported: LockObstacle.Kind?

    private static var shortestDelay: Int64 { 200_000 }
    /// Between looks where the file system wakes us; only what it does not tell (a record that grows old) waits so
    /// long.
    private static var longestWatchedDelay: Int64 { 100_000_000 }
    private static var longestPolledDelay: Int64 { 20_000_000 }
    /// How soon a cancellation is noticed.
    private static var cancellationSlice: Int64 { 20_000_000 }

    init(site: LockSite<H>, options: LockOptions, startNanoseconds: Int64) {
        self.site = site
        self.options = options
        self.startNanoseconds = startNanoseconds
    }

    /// Waits before the next attempt, or throws where there is to be none.
    mutating func pause(
        after outcome: Attempt<H>.Outcome, describing describe: () -> LockObstacle
    ) throws(LockError) {
        let left = patience(for: outcome) - (host.bootClockNanoseconds() - startNanoseconds)
        if left <= 0 { throw .held(describe()) }
        if options.wait == .none {
            host.sleep(nanoseconds: min(left, nextDelay(atMost: Self.longestPolledDelay)))
            return
        }
        report(describe)
        if !isPrepared {
            // What changed before the watch began is not told, so the next attempt follows at once.
            prepare()
            return
        }
        // An attempt that got as far as the lock file has opened it for writing, and its closing would wake this very
        // waiter, and all others: there the delays alone must do.
        var canBeWoken = false
        if case .guardBusy(.protectedFile) = outcome { canBeWoken = true }
        try wait(atMost: left, on: canBeWoken ? watch : nil)
    }

    mutating func end() {
        if let watch { host.unwatch(watch) }
        if let mark { host.close(mark) }
        watch = nil
        mark = nil
    }

    private func patience(for outcome: Attempt<H>.Outcome) -> Int64 {
        switch options.wait {
        case .none: if case .guardBusy = outcome { LockTiming.busyRetry } else { 0 }
        case .atMost(let duration): duration.nanoseconds
        case .forever: .max
        }
    }

    private mutating func report(_ describe: () -> LockObstacle) {
        guard let observer = options.observer, reported == nil else { return }
        let obstacle = describe()
        reported = obstacle.kind
        observer(.waiting(obstacle))
    }

    private mutating func prepare() {
        isPrepared = true
        mark = WaiterMark.leave(at: site)
        // Without a protected file every attempt opens and closes the lock file, and would wake all others; there
        // the delays alone must do.
        guard mark != nil, let path = try? host.resolve(site.directoryPath) else { return }
        watch = try? host.watch(path, for: .endings)
    }

    private mutating func wait(atMost left: Int64, on watch: FileDescriptor?) throws(LockError) {
        var watch = watch
        let longest = watch == nil ? Self.longestPolledDelay : Self.longestWatchedDelay
        let delay = min(left, nextDelay(atMost: longest))
        let end = host.bootClockNanoseconds() + delay
        while true {
            if options.cancellation?.isCancelled == true { throw .cancelled(site.path) }
            let rest = end - host.bootClockNanoseconds()
            if rest <= 0 { return }
            let slice = options.cancellation == nil ? rest : min(rest, Self.cancellationSlice)
            guard let watched = watch else {
                host.sleep(nanoseconds: slice)
                continue
            }
            let names = watchedNames
            do throws(Errno) {
                if try host.awaitChange(watched, of: names, timeoutNanoseconds: slice) {
                    // The kernel tells of a close before it drops the lock: look again soon if it is still busy.
                    delayNanoseconds = Self.shortestDelay
                    return
                }
            } catch {
                host.unwatch(watched)
                self.watch = nil
                watch = nil
            }
        }
    }

    /// The lock file's name, and the one by which the kernel tells of the death of a holder whose file was made
    /// without a name: on Linux an open file keeps the name that it was opened under, and that is its number.
    private var watchedNames: [FilePath] {
        guard let inode = (try? site.lockStatus())??.identity.inode else { return [site.lockName] }
        return [site.lockName, FilePath("#\(inode)")]
    }

    /// Doubles up to the longest, and spreads by half either way so that waiters do not march in step.
    private mutating func nextDelay(atMost longest: Int64) -> Int64 {
        let delay = min(delayNanoseconds, longest)
        delayNanoseconds = min(delayNanoseconds * 2, longest)
        var random: UInt64 = 0
        unsafe withUnsafeMutableBytes(of: &random) { unsafe host.fillWithRandomBytes($0) }
        return delay / 2 + Int64(random % UInt64(delay))
    }
}
