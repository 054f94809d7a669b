import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Waiting on clocks that only move when somebody sleeps.
@Suite struct WaitTests {
    @Test("Without waiting, a busy guard is looked at for a quarter of a second, and a record not at all")
    func none() throws {
        let scene = try Scene()
        let lock = try Simulated().acquire(scene.data)
        let other = Simulated()
        guard case .held = other.acquireError(scene.data) else {
            Issue.record("acquired")
            return
        }
        #expect(other.script.sleptNanoseconds >= 230_000_000 && other.script.sleptNanoseconds < 300_000_000)
        #expect(other.script.openDescriptors.isEmpty)
        try lock.release()
        scene.putLock(Peer.living())
        let third = Simulated()
        guard case .held(let obstacle) = third.acquireError(scene.data) else {
            Issue.record("acquired")
            return
        }
        #expect(obstacle.kind == .held(.processAlive))
        #expect(third.script.sleptNanoseconds == 0)
    }

    @Test("A guard that is busy for a moment, as a judge's or a dying process's, is waited out")
    func momentarilyBusy() throws {
        for name in ["data.rvf", "data.rvf.lock"] {
            let scene = try Scene()
            scene.putLock(Peer.record(isGuarded: true))
            let judge = try FileDescriptor.open(scene.directory.file(name), .readWrite)
            let judgeHost = Simulated().host
            #expect(try judgeHost.tryLock(judge))
            let process = Simulated()
            let sleeps = Counter()
            process.script.intercept { call in
                if call.kind == .sleep, sleeps.up() == 3 { judgeHost.close(judge) }
                return nil
            }
            let lock = try process.acquire(scene.data)
            #expect(lock.isValid)
            try lock.release()
        }
    }

    @Test("At most so long, with one report of what is waited for", arguments: [0.3, 5])
    func atMost(seconds: Double) throws {
        let scene = try Scene()
        let lock = try Simulated().acquire(scene.data)
        let other = Simulated()
        let start = other.host.bootClockNanoseconds()
        guard case .held = other.acquireError(scene.data, LockOptions(wait: .atMost(.seconds(seconds)))) else {
            Issue.record("acquired")
            return
        }
        #expect(Double(other.host.bootClockNanoseconds() - start) >= seconds * 1e9)
        let waiting = other.events.all.filter { if case .waiting = $0 { true } else { false } }
        #expect(waiting.count == 1)
        #expect(other.events.all.count == 1)
        #expect(other.script.openDescriptors.isEmpty)
        #expect(lock.isValid)
    }

    @Test("A waiter gets the lock that is released, and one that grows stale")
    func getsIt() throws {
        let scene = try Scene()
        let lock = try Simulated().acquire(scene.data)
        let waiter = Simulated()
        let pauses = Counter()
        waiter.script.intercept { call in
            if call.kind == .awaitChange || call.kind == .sleep, pauses.up() == 5 { try? lock.release() }
            return nil
        }
        let next = try waiter.acquire(scene.data, LockOptions(wait: .forever))
        #expect(next.isValid)
        try next.release()
        scene.putLock(Peer.record(ageSeconds: 10))
        let patient = Simulated()
        let start = patient.host.bootClockNanoseconds()
        let taken = try patient.acquire(scene.data, LockOptions(wait: .atMost(.seconds(25))))
        let waited = patient.host.bootClockNanoseconds() - start
        #expect(waited > 19_000_000_000 && waited < 22_000_000_000)
        // Each look opens and closes the lock file, which is what a waiter is woken by.
        let looks = patient.script.log.filter { $0.kind == .open && $0.name == "data.rvf.lock" }.count
        #expect(looks < 2500, "a waiter that wakes itself")
        guard case .takenOver(let holder, .processDead) = patient.events.all.dropFirst().first else {
            Issue.record("\(patient.events.all)")
            return
        }
        #expect(holder?.processID == 999_999_999)
        #expect(taken.isValid)
    }

    @Test("A record from the future is watched for 30 s, or 300 s, in which neither it nor the file changes")
    func future() throws {
        for (host, seconds) in [("here", 30.0), ("far", 300)] {
            let scene = try Scene()
            scene.putLock(Peer.record(host: host, ageSeconds: -1e8))
            let waiter = Simulated()
            // Ten times fewer looks, for the sake of the test's duration.
            waiter.script.intercept { call in
                if call.kind == .awaitChange || call.kind == .sleep { waiter.script.advance(seconds: 0.5) }
                return nil
            }
            let start = waiter.host.bootClockNanoseconds()
            let lock = try waiter.acquire(scene.data, LockOptions(wait: .atMost(.seconds(seconds + 5))))
            let waited = Double(waiter.host.bootClockNanoseconds() - start) / 1e9
            #expect(waited > seconds && waited < seconds + 2)
            #expect(Files.record(scene.lock)?.writerID == lock.writerID)
        }
    }

    @Test("A holder that writes the file while its record from the future is watched is not robbed")
    func futureButAlive() throws {
        let scene = try Scene()
        let record = Peer.record(host: "far", ageSeconds: -1e8)
        scene.putLock(record)
        let waiter = Simulated()
        let data = scene.data
        let looks = Counter()
        waiter.script.intercept { call in
            guard call.kind == .awaitChange || call.kind == .sleep else { return nil }
            waiter.script.advance(seconds: 0.9)
            if looks.up() % 50 == 0 { Files.overwrite(data, with: Array("vectors \(looks.now)".utf8)) }
            return nil
        }
        let error = waiter.acquireError(scene.data, LockOptions(wait: .atMost(.seconds(400))))
        guard case .held(let obstacle) = error else {
            Issue.record("robbed")
            return
        }
        #expect(obstacle.kind == .held(.otherHostRecent))
        #expect(Files.bytes(scene.lock) == record.encoded())
    }

    @Test("A cancelled wait leaves nothing, before it begins as in its middle")
    func cancelled() throws {
        for after in [0, 4] {
            let scene = try Scene()
            let lock = try Simulated().acquire(scene.data)
            let waiter = Simulated()
            let cancellation = LockCancellation()
            if after == 0 { cancellation.cancel() }
            let pauses = Counter()
            waiter.script.intercept { call in
                if call.kind == .awaitChange || call.kind == .sleep, pauses.up() == after { cancellation.cancel() }
                return nil
            }
            let error = waiter.acquireError(
                scene.data, LockOptions(wait: .forever, cancellation: cancellation))
            #expect(error == .cancelled(scene.data))
            #expect(waiter.script.openDescriptors.isEmpty)
            #expect(scene.directory.names == ["data.rvf", "data.rvf.lock"])
            #expect(lock.isValid)
        }
    }

    @Test("Waiting works where the file system tells nothing")
    func withoutWatch() throws {
        let scene = try Scene()
        let lock = try Simulated().acquire(scene.data)
        let waiter = Simulated { $0.unsupported[.watch] = .notSupported }
        let pauses = Counter()
        waiter.script.intercept { call in
            if call.kind == .sleep, pauses.up() == 20 { try? lock.release() }
            return nil
        }
        let next = try waiter.acquire(scene.data, LockOptions(wait: .atMost(.seconds(10))))
        #expect(next.isValid)
        try next.release()
        #expect(waiter.script.openDescriptors.count == 1)
    }
}
