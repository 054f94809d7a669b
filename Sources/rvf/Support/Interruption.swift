import Dispatch
import RVFLock
import RVFStore
import Synchronization
import SystemPackage

/// Turns the signals that ask a process to end into something a command can wait for, so that it ends in order and
/// gives its lock back. Safe to use from any thread.
final class Interruption: Sendable {
    private struct State {
        var isRequested = false
        /// While a call runs that cannot be ended in another way: how the process ends on a signal.
        var exit: Outcome?
    }

    /// Ends the wait of an acquisition.
    let cancellation = LockCancellation()
    /// Ends a long piece of work on a store.
    let work = StoreCancellation()
    /// Can be read from the first signal on. Nobody reads it, so it stays that way.
    private let wakeUp: FileDescriptor
    private let trigger: FileDescriptor
    private let state = Mutex(State())

    /// Call once, before anything else starts a thread: a thread inherits which signals are blocked.
    init() throws(Failure) {
        let signals = Process.blockEndingSignals()
        do {
            (wakeUp, trigger) = try FileDescriptor.pipe()
        } catch {
            throw Failure(.failed, code: "system", "no pipe could be made: \(error)")
        }
        DispatchQueue(label: "rvf.signals").async { [self] in
            while true {
                Process.awaitSignal(of: signals)
                arrived()
            }
        }
    }

    var isRequested: Bool { state.withLock { $0.isRequested } }

    private func arrived() {
        let exit = state.withLock { state in
            state.isRequested = true
            return state.exit
        }
        if let exit { Process.exit(exit) }
        cancellation.cancel()
        work.cancel()
        _ = try? trigger.writeAll([0])
    }

    /// From now on a signal ends the process with this outcome, and one that has come already does so at once. Only
    /// for calls whose sudden end leaves no lock behind that the next writer would have to wait for.
    func beginExiting(_ outcome: Outcome) {
        let isRequested = state.withLock { state in
            state.exit = outcome
            return state.isRequested
        }
        if isRequested { Process.exit(outcome) }
    }

    func endExiting() { state.withLock { $0.exit = nil } }

    /// Waits until there is something to read, or the time is over.
    func awaitReadable(_ descriptor: FileDescriptor?, atMost limit: Duration?) -> Waited {
        let ready = Process.awaitReadable([wakeUp] + (descriptor.map { [$0] } ?? []), atMost: limit)
        if ready[0] { return .interrupted }
        return ready.contains(true) ? .readable : .timeOver
    }

    enum Waited {
        case interrupted
        case readable
        case timeOver
    }
}
