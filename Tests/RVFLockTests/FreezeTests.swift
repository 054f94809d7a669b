import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Processes that stand still, clocks that step, and media that fail for a while.
@Suite struct FreezeTests {
    private func freeze(_ process: Simulated, seconds: Double) { process.script.advance(seconds: seconds) }

    @Test("A process that stood still and was not robbed holds on, with a record made young", arguments: [25.0, 310])
    func notRobbed(seconds: Double) throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        freeze(process, seconds: seconds)
        #expect(lock.isValid)
        #expect(process.script.sleptNanoseconds == 150_000_000, "it settles before it goes on")
        let record = try #require(Files.record(scene.lock))
        let age = process.host.wallClockNanoseconds() - Int64(record.timestampNanoseconds)
        #expect(age < 9_000_000_000)
        #expect(LockRecordReading(Files.bytes(scene.lock) ?? []).problems.isEmpty)
        #expect(process.events.losses.isEmpty)
        process.script.reset()
        #expect(lock.isValid)
        #expect(process.script.sleptNanoseconds == 0, "thawed once")
        try lock.release()
    }

    @Test("A process that was robbed while it stood still learns so, once, and touches nothing", arguments: [25.0, 310])
    func robbed(seconds: Double) throws {
        for way in ["replaced", "overwritten"] {
            let scene = try Scene()
            let process = Simulated()
            let lock = try process.acquire(scene.data)
            let thief = Peer.living()
            if way == "replaced" { Files.replace(scene.lock, with: thief.encoded()) }
            if way == "overwritten" { Files.overwrite(scene.lock, with: thief.encoded()) }
            freeze(process, seconds: seconds)
            guard case .takenWhileFrozen(let holder) = lock.lossReason else {
                Issue.record("\(way)")
                continue
            }
            #expect(holder?.record == thief)
            #expect(!lock.isValid)
            let isRenewed = lock.renewFromTimer()
            #expect(!isRenewed)
            #expect(process.events.losses.count == 1)
            #expect(Files.bytes(scene.lock) == thief.encoded())
            let failure = lock.releaseError
            guard case .lost(.takenWhileFrozen, _) = failure else {
                Issue.record("\(String(describing: failure))")
                continue
            }
            #expect(Files.bytes(scene.lock) == thief.encoded())
            #expect(process.events.losses.count == 1)
        }
    }

    @Test("One who takes the lock while the thawed holder settles is noticed")
    func robbedWhileSettling() throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        freeze(process, seconds: 25)
        let (path, thief) = (scene.lock, Peer.living().encoded())
        process.script.intercept { call in
            if call.kind == .sleep { Files.replace(path, with: thief) }
            return nil
        }
        guard case .takenWhileFrozen = lock.lossReason else {
            Issue.record("not noticed")
            return
        }
        #expect(process.events.losses.count == 1)
    }

    @Test("With manual renewal nothing counts as a freeze")
    func manual() throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data, LockOptions(renewal: .manual))
        freeze(process, seconds: 310)
        process.script.reset()
        #expect(lock.isValid)
        #expect(process.script.sleptNanoseconds == 0)
        #expect(!process.script.log.contains { $0.kind == .write })
        try lock.release()
    }

    @Test("A renewal that fails twice and then works is no loss; each failure is told")
    func failsTwice() throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        let writes = Counter()
        process.script.intercept { $0.kind == .write && writes.up() <= 2 ? .ioError : nil }
        for _ in 0..<3 {
            process.script.advance(seconds: 6)
            let goesOn = lock.renewFromTimer()
            #expect(goesOn)
        }
        #expect(process.events.losses.isEmpty)
        let failures = process.events.all.filter { if case .renewalFailed = $0 { true } else { false } }
        #expect(failures == Array(repeating: .renewalFailed(.system(.renew, scene.data, .ioError)), count: 2))
        process.script.advance(seconds: 15)
        #expect(lock.isValid)
        #expect(process.events.losses.isEmpty)
        try lock.release()
    }

    @Test("A renewal that fails for more than 20 s is a loss, said once")
    func failsTooLong() throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        process.script.intercept { $0.kind == .write ? .ioError : nil }
        var goesOn: [Bool] = []
        for _ in 0..<6 {
            process.script.advance(seconds: 4.9)
            goesOn.append(lock.renewFromTimer())
        }
        #expect(goesOn == [true, true, true, true, false, false])
        #expect(process.events.losses == [.renewalFailed])
        #expect(lock.lossReason == .renewalFailed)
        process.script.intercept(nil)
        #expect(lock.lossReason == .renewalFailed, "a loss is final")
        let failure = lock.releaseError
        #expect(failure == .lost(.renewalFailed, scene.data))
        let next = Simulated().acquireError(scene.data)
        #expect(next == nil)
    }

    @Test("A wall clock that steps does not matter to a holder", arguments: [3600, -3600, -4_000_000_000])
    func wallClockSteps(seconds: Int) throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        // No further back than 1970.
        let step = max(Int64(seconds) * 1_000_000_000, -process.host.wallClockNanoseconds())
        process.script.update { $0.wallOffsetNanoseconds = step }
        for _ in 0..<3 {
            process.script.advance(seconds: 10)
            try lock.renew()
            #expect(lock.isValid)
            let record = try #require(Files.record(scene.lock))
            #expect(LockRecordReading(Files.bytes(scene.lock) ?? []).problems.isEmpty)
            let now = process.host.wallClockNanoseconds()
            let age = now - Int64(record.timestampNanoseconds)
            if now > 9_000_000_000 { #expect(age >= 0 && age < 9_000_000_000, "\(age)") }
        }
        let isRefused = Simulated().acquireError(scene.data) != nil
        #expect(isRefused)
        #expect(process.events.losses.isEmpty)
        try lock.release()
        #expect(scene.directory.names == ["data.rvf"])
    }

    @Test("A stopped holder and two who contend: the kernel lock keeps both out")
    func contendersFindTheGuard() throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        for other in [Simulated(), Simulated(hostName: "elsewhere")] {
            other.script.advance(seconds: 4000)
            let isRefused = other.acquireError(scene.data) != nil
            #expect(isRefused)
        }
        process.script.advance(seconds: 4000)
        #expect(lock.isValid)
    }
}
