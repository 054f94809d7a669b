import Dispatch
import RVFHost
import Synchronization

/// The one timer of the process that keeps held locks fresh.
///
/// It runs only while there are locks. Renewals of one file system run one after the other on a queue of their own,
/// so that a hung mount does not hold up the locks on others. Safe to use from any thread.
final class RenewalTimer: Sendable {
    static let shared = RenewalTimer()

    private struct Entry {
        /// Kept alive until its handle removes it: a weak reference would make every use of the lock slower.
        let lock: HeldLock<POSIXHost>
        var isRunning = false
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var queues: [UInt64: DispatchQueue] = [:]
        var timer: (any DispatchSourceTimer)?
        var processID: Int32 = 0
    }

    // Dispatch sources are not Sendable; this one is only touched with the mutex locked.
    private let state = Mutex(State())

    func add(_ lock: HeldLock<POSIXHost>) {
        state.withLock { state in
            // After a fork neither the parent's locks nor its timer are ours.
            if state.processID != lock.ownerProcessID {
                state = State()
                state.processID = lock.ownerProcessID
            }
            state.entries[ObjectIdentifier(lock)] = Entry(lock: lock)
            if state.timer == nil { state.timer = makeTimer() }
        }
    }

    func remove(_ lock: HeldLock<POSIXHost>) {
        guard lock.ownerProcessID == lock.host.processID else { return }
        state.withLock { $0.entries[ObjectIdentifier(lock)] = nil }
    }

    /// Half the interval: a lock that is taken between two ticks is renewed in time all the same.
    private static let tickNanoseconds = Int(LockTiming.renewalInterval / 2)

    private func makeTimer() -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "rvf.lock.renewal"))
        let interval = DispatchTimeInterval.nanoseconds(Self.tickNanoseconds)
        timer.schedule(deadline: .now() + interval, repeating: interval, leeway: .milliseconds(200))
        timer.setEventHandler { [unowned self] in tick() }
        timer.resume()
        return timer
    }

    /// Only from a tick, so that a process that locks and unlocks does not make a timer each time.
    private func stopIfIdle(_ state: inout State) {
        guard state.entries.isEmpty else { return }
        state.timer?.cancel()
        state.timer = nil
        state.queues = [:]
    }

    private func tick() {
        let due = state.withLock { state -> [(HeldLock<POSIXHost>, DispatchQueue)] in
            var due: [(HeldLock<POSIXHost>, DispatchQueue)] = []
            for (key, entry) in state.entries {
                let lock = entry.lock
                guard !entry.isRunning, lock.isRenewalDue else { continue }
                state.entries[key]?.isRunning = true
                let device = lock.site.directoryIdentity.device
                let queue = state.queues[device] ?? DispatchQueue(label: "rvf.lock.renewal.\(device)")
                state.queues[device] = queue
                due.append((lock, queue))
            }
            stopIfIdle(&state)
            return due
        }
        for (lock, queue) in due {
            queue.async { self.renew(lock) }
        }
    }

    private func renew(_ lock: HeldLock<POSIXHost>) {
        let goesOn = lock.renewFromTimer()
        state.withLock { state in
            let key = ObjectIdentifier(lock)
            if goesOn { state.entries[key]?.isRunning = false } else { state.entries[key] = nil }
        }
    }
}
