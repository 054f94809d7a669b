import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

@Suite struct SharedLockTests {
    @Test("Parts of a process share one lock; the last one gives it up")
    func counting() throws {
        let scene = try Scene()
        let first = try SharedWriterLock.acquire(protecting: scene.data)
        let second = try SharedWriterLock.acquire(protecting: scene.data)
        #expect(first.holderCount == 2)
        #expect(first.writerID == second.writerID)
        try first.release()
        #expect(second.holderCount == 1)
        try second.validate()
        #expect(Files.exists(scene.lock))
        let isRefused = Simulated().acquireError(scene.data) != nil
        #expect(isRefused)
        try second.release()
        #expect(!Files.exists(scene.lock))
        let third = try SharedWriterLock.acquire(protecting: scene.data)
        #expect(third.holderCount == 1)
        try third.release()
    }

    @Test("A plain lock of the same process refuses a shared one, and the other way round")
    func beside() throws {
        let scene = try Scene()
        func obstacle(_ body: () throws(LockError) -> Void) -> LockObstacle.Kind? {
            do throws(LockError) {
                try body()
                return nil
            } catch {
                if case .held(let obstacle) = error { return obstacle.kind }
                return nil
            }
        }
        do {
            let plain = try WriterLock.acquire(protecting: scene.data)
            let kind = obstacle { () throws(LockError) in _ = try SharedWriterLock.acquire(protecting: scene.data) }
            #expect(kind == .heldInThisProcess)
            try plain.release()
        }
        let shared = try SharedWriterLock.acquire(protecting: scene.data)
        let kind = obstacle { () throws(LockError) in _ = try WriterLock.acquire(protecting: scene.data) }
        #expect(kind == .heldInThisProcess)
        try shared.release()
    }

    @Test("Many threads join and leave: all who are in have the same lock, and the file goes with the last")
    func threads() async throws {
        let scene = try Scene()
        let data = scene.data
        let problems = Box<[String]>([])
        let joined = Counter()
        await RegistryTests.onThreads(12) { index in
            for round in 0..<30 {
                do throws(LockError) {
                    // A child that another test forks keeps the kernel locks until its exec: a wait sees it out.
                    let options = LockOptions(wait: .atMost(.seconds(60)), renewal: .manual)
                    let lock = try SharedWriterLock.acquire(protecting: data, options: options)
                    if lock.holderCount < 1 { problems.update { $0.append("nobody holds it") } }
                    if (index + round) % 3 == 0 { try lock.validate() }
                    joined.up()
                    if round % 2 == 0 { try lock.release() }
                } catch {
                    problems.update { $0.append("\(error)") }
                }
            }
        }
        #expect(problems.value == [])
        #expect(joined.now == 360)
        #expect(scene.directory.names == ["data.rvf"])
    }

    @Test("Whoever joins a lock that turns out to be lost is told by validate, and a fresh start follows the last release")
    func lost() throws {
        let scene = try Scene()
        let first = try SharedWriterLock.acquire(protecting: scene.data)
        Files.remove(scene.lock)
        let second = try SharedWriterLock.acquire(protecting: scene.data)
        let missing = LockError.lost(.missing, scene.data)
        #expect(validationError(second) == missing)
        #expect(validationError(first) == missing)
        #expect(releaseError(first) == nil)
        #expect(releaseError(second) == missing)
        let fresh = try SharedWriterLock.acquire(protecting: scene.data)
        try fresh.validate()
        try fresh.release()
    }

    private func validationError(_ lock: borrowing SharedWriterLock) -> LockError? {
        do throws(LockError) {
            try lock.validate()
            return nil
        } catch { return error }
    }

    private func releaseError(_ lock: consuming SharedWriterLock) -> LockError? {
        do throws(LockError) {
            try lock.release()
            return nil
        } catch { return error }
    }
}
