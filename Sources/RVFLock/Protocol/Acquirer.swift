import RVFHost
package import SystemPackage

/// Attempts until the lock is held, the wait is over or somebody cancels; steps 1 to 8 of the protocol.
struct Acquirer<H: Host> {
    private let host: H
    private let registry: LockRegistry
    private let site: LockSite<H>
    private let options: LockOptions
    private let watch = ChangeWatch()

    fileprivate init(host: H, registry: LockRegistry, path: FilePath, options: LockOptions) throws(LockError) {
        self.host = host
        self.registry = registry
        self.options = options
        site = try LockSite(host: host, path: path)
    }

    fileprivate mutating func run() throws(LockError) -> HeldLock<H> {
        var waiter = Waiter(site: site, options: options, startNanoseconds: host.bootClockNanoseconds())
        defer { waiter.end() }
        var isCourteous = true
        while true {
            if options.cancellation?.isCancelled == true { throw .cancelled(site.path) }
            let attempt = Attempt(
                site: site, options: options, registry: registry, watch: watch, isCourteous: isCourteous)
            let outcome: Attempt<H>.Outcome
            do throws(LockError) {
                outcome = try attempt.run()
            } catch {
                attempt.abandon()
                throw error
            }
            if case .acquired(let held) = outcome {
                sweepIfDue(held)
                return held
            }
            attempt.abandon()
            if case .givesWay = outcome {
                // Some waiters' worth of waking up. Nothing but fairness depends on it.
                host.sleep(nanoseconds: 2_000_000)
                isCourteous = false
                continue
            }
            repeat {
                try waiter.pause(after: outcome, describing: { describe(outcome) })
            } while stillWaits(for: outcome)
        }
    }

    /// Whether a waiter can see from outside that an attempt would end as the last one did.
    ///
    /// An attempt opens the protected file for writing, and closing that wakes whoever watches the directory: many
    /// waiters would wake each other over and over. A look through a descriptor for reading wakes nobody.
    private func stillWaits(for outcome: Attempt<H>.Outcome) -> Bool {
        guard options.wait != .none, case .guardBusy(.protectedFile) = outcome,
            let file = try? host.open(
                site.dataName, in: site.directory, .readOnly, options: [.nonBlocking], permissions: [])
        else { return false }
        defer { host.close(file) }
        return (try? host.tryLock(file)) == false
    }

    private func sweepIfDue(_ held: HeldLock<H>) {
        let keys = LockRegistry.Keys(directory: site.directoryIdentity, lockName: site.lockName)
        let minute: Int64 = 60_000_000_000
        guard registry.isSweepDue(at: keys, nowNanoseconds: host.bootClockNanoseconds(), everyNanoseconds: minute),
            let lockIdentity = try? held.withState({ (state) throws(LockError) in state.lockIdentity })
        else { return }
        PrivateFileSweep(site: site, identity: options.identity, lockIdentity: lockIdentity).run()
    }

    /// What a person is told; looks at the lock once more, so only asked where it is said.
    private func describe(_ outcome: Attempt<H>.Outcome) -> LockObstacle {
        switch outcome {
        case .blocked(let kind, let holder): return LockObstacle(kind: kind, path: site.path, holder: holder)
        case .acquired, .givesWay: preconditionFailure("neither is an obstacle")
        case .guardBusy(let file):
            let holder = LockLook.holder(at: site, identity: options.identity)
            // The record names the guard's holder only if its writer said that it keeps one.
            if let holder, holder.record.isGuarded {
                return LockObstacle(kind: .held(.kernelLock), path: site.path, holder: holder)
            }
            let kind: LockObstacle.Kind = file == .protectedFile ? .protectedFileLocked : .held(.kernelLock)
            return LockObstacle(kind: kind, path: site.path, holder: file == .protectedFile ? nil : holder)
        }
    }
}

extension HeldLock {
    /// Takes the writer lock of a file, as ``WriterLock/acquire(protecting:options:)`` does, on any host.
    package static func acquire(
        host: H, registry: LockRegistry, protecting path: FilePath, options: LockOptions
    ) throws(LockError) -> HeldLock<H> {
        var acquirer = try Acquirer(host: host, registry: registry, path: path, options: options)
        return try acquirer.run()
    }
}
