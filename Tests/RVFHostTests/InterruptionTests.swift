import Foundation
import RVFHost
import RVFTestSupport
import Synchronization
import SystemPackage
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// How often the signal has come.
private let interruptions = Atomic(0)

/// Calls that a signal interrupts, on the real system. Those on files are not interrupted by most file systems; they go
/// through the same loop as these, which wait.
@Suite("Interrupted calls", .serialized)
struct InterruptionTests {
    private let host = POSIXHost()

    /// Begins a call on a thread of its own, sends signals to that, and then lets it end.
    private func interrupt(
        _ call: @escaping @Sendable () throws(Errno) -> Void, until end: () throws -> Void
    ) throws {
        var action = sigaction()
        #if canImport(Glibc)
            unsafe action.__sigaction_handler.sa_handler = { _ in interruptions.add(1, ordering: .relaxed) }
        #else
            unsafe action.__sigaction_u.__sa_handler = { _ in interruptions.add(1, ordering: .relaxed) }
        #endif
        // Without SA_RESTART the system does not repeat the call by itself.
        unsafe sigaction(SIGUSR2, &action, nil)
        let thread = Mutex<pthread_t?>(nil)
        let outcome = Mutex<Result<Void, Errno>?>(nil)
        Thread {
            thread.withLock { $0 = pthread_self() }
            var signals = sigset_t()
            unsafe sigemptyset(&signals)
            unsafe sigaddset(&signals, SIGUSR2)
            unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            do throws(Errno) {
                try call()
                outcome.withLock { $0 = .success(()) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
        }.start()
        let before = interruptions.load(ordering: .relaxed)
        // The call cannot end by itself, so that most of these meet it, and one that ended early failed.
        while interruptions.load(ordering: .relaxed) < before + 100, outcome.withLock({ $0 == nil }) {
            if let thread = thread.withLock({ $0 }) { _ = pthread_kill(thread, SIGUSR2) }
            usleep(500)
        }
        #expect(outcome.withLock { $0 == nil }, "the call ended: \(String(describing: outcome.withLock { $0 }))")
        try end()
        while outcome.withLock({ $0 == nil }) { usleep(500) }
        #expect(throws: Never.self) { try outcome.withLock { try $0?.get() } }
    }

    @Test("an open that waits goes on after a signal")
    func open() throws {
        let scratch = try TemporaryDirectory()
        unsafe mkfifo(scratch.file("fifo").string, 0o600)
        let host = host
        let directory = try host.openDirectory(scratch.path)
        defer { host.close(directory) }
        try interrupt { () throws(Errno) in
            host.close(try host.open("fifo", in: directory, .readOnly, options: [], permissions: []))
        } until: {
            host.close(try host.open("fifo", in: directory, .writeOnly, options: [], permissions: []))
        }
    }

    @Test("a connection that is waited for, and bytes from it, are waited for after a signal, too")
    func socket() throws {
        let scratch = try TemporaryDirectory()
        let host = host
        let listener = try host.listen(at: scratch.file("socket"))
        defer { host.close(listener) }
        let accepted = Mutex<FileDescriptor?>(nil)
        let connected = Mutex<FileDescriptor?>(nil)
        try interrupt { () throws(Errno) in
            let connection = try host.accept(listener)
            accepted.withLock { $0 = connection }
        } until: {
            let connection = try host.connect(to: scratch.file("socket"))
            connected.withLock { $0 = connection }
        }
        let (near, far) = (try #require(accepted.withLock { $0 }), try #require(connected.withLock { $0 }))
        defer {
            host.close(near)
            host.close(far)
        }
        let received = Mutex<[UInt8]>([])
        try interrupt { () throws(Errno) in
            let bytes = try host.receive(near, atMostBytes: 9).bytes
            received.withLock { $0 = bytes }
        } until: {
            _ = try host.send(far, [1, 2, 3], descriptors: [])
        }
        #expect(received.withLock { $0 } == [1, 2, 3])
    }
}
