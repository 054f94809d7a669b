import Dispatch
package import RVFHost
import Synchronization

/// Lets any number of tasks wait for a reader's next commit with one watch and one thread, which is there only while
/// somebody waits. Safe to share between threads.
package final class CommitFeed<H: Host>: Sendable {
    /// Nil where the wait was cancelled.
    package typealias Outcome = Result<SnapshotCore<H>?, StoreError>

    private struct Waiter: Sendable {
        var seen: SnapshotCore<H>
        var continuation: CheckedContinuation<Outcome, Never>
    }

    private struct State: Sendable {
        var waiters: [UInt64: Waiter] = [:]
        var nextTicket: UInt64 = 0
        /// Whether the thread is there.
        var isLooking = false
    }

    private let reader: StoreReaderCore<H>
    /// From before the first look on, so that no commit falls between a look and the wait after it.
    private let watch: CommitWatch<H>
    private let state = Mutex(State())

    init(_ reader: StoreReaderCore<H>, _ watch: CommitWatch<H>) {
        self.reader = reader
        self.watch = watch
    }

    /// The reader's newest state, once it is another one than was seen. Blocks no thread of the caller's.
    package func next(after seen: SnapshotCore<H>) async -> Outcome {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { enter(Waiter(seen: seen, continuation: $0), ticket) }
        } onCancel: {
            leave(ticket)
        }
    }

    private enum Entry {
        case done(Outcome)
        case waits
        case waitsFirst
    }

    private func enter(_ waiter: Waiter, _ ticket: UInt64) {
        let entry: Entry = state.withLock { state in
            // A cancellation from here on finds the waiter in the list.
            if Task.isCancelled { return .done(.success(nil)) }
            if state.isLooking {
                // The thread may have looked just before.
                let snapshot = reader.snapshot
                if snapshot !== waiter.seen { return .done(.success(snapshot)) }
            }
            state.waiters[ticket] = waiter
            defer { state.isLooking = true }
            return state.isLooking ? .waits : .waitsFirst
        }
        switch entry {
        case .done(let outcome): waiter.continuation.resume(returning: outcome)
        case .waits: break
        case .waitsFirst:
            // A queue of its own has a thread of its own while it waits: none of the pool's is blocked.
            DispatchQueue(label: "rvf.store.commits").async { [self] in look() }
        }
    }

    private func leave(_ ticket: UInt64) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: ticket) }
        waiter?.continuation.resume(returning: .success(nil))
    }

    /// Looks again and again until nobody waits any more.
    private func look() {
        while true {
            let (failure, lookNanoseconds) = reader.timedRefresh()
            guard serve(failure) else { return }
            watch.pause(atMostNanoseconds: .max, afterLookOf: lookNanoseconds)
        }
    }

    /// Wakes whoever has not seen the reader's state. False where nobody is left; another thread begins then with the
    /// next waiter.
    private func serve(_ failure: StoreError?) -> Bool {
        var served: [(Waiter, Outcome)] = []
        let isGoingOn = state.withLock { state in
            let snapshot = reader.snapshot
            for (ticket, waiter) in state.waiters {
                if snapshot !== waiter.seen {
                    served.append((waiter, .success(snapshot)))
                } else if let failure {
                    served.append((waiter, .failure(failure)))
                } else {
                    continue
                }
                state.waiters[ticket] = nil
            }
            state.isLooking = !state.waiters.isEmpty
            return state.isLooking
        }
        for (waiter, outcome) in served { waiter.continuation.resume(returning: outcome) }
        return isGoingOn
    }
}
