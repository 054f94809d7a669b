import Foundation
import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Several handles in one process.
@Suite struct RegistryTests {
    /// Runs closures on threads of their own and waits for all: blocking work does not belong on the test's pool.
    static func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<count {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        Thread.detachNewThread {
                            body(index)
                            continuation.resume()
                        }
                    }
                }
            }
        }
    }

    @Test("Twelve threads of one process: never two holders, and each gets its turn", arguments: [true, false])
    func threads(hasData: Bool) async throws {
        let scene = try Scene(hasData: hasData)
        let data = scene.data
        let inside = Counter()
        let problems = Counter()
        let turns = Counter()
        await Self.onThreads(12) { _ in
            for _ in 0..<20 {
                do throws(LockError) {
                    let lock = try WriterLock.acquire(protecting: data, options: LockOptions(wait: .forever, renewal: .manual))
                    if inside.up() != 1 { problems.up() }
                    try lock.validate()
                    inside.down()
                    try lock.release()
                    turns.up()
                } catch {
                    problems.up()
                }
            }
        }
        #expect(problems.now == 0)
        #expect(turns.now == 240)
        #expect(scene.directory.names == (hasData ? ["data.rvf"] : []))
    }

    @Test("A second handle is refused without touching the lock file, and told of the first", arguments: Profile.allCases)
    func secondHandle(profile: Profile) throws {
        let scene = try Scene()
        let process = Simulated(prepare: profile.apply)
        let lock = try process.acquire(scene.data)
        process.script.reset()
        guard case .held(let obstacle) = process.acquireError(scene.data) else {
            Issue.record("a second handle")
            return
        }
        #expect(obstacle.kind == .heldInThisProcess)
        #expect(obstacle.holder?.writerID == lock.writerID)
        #expect(obstacle.holder?.processID == UInt32(process.id))
        #expect(!process.script.log.contains { $0.kind == .open || $0.kind == .tryLock })
        #expect("\(obstacle)".contains("this very process"))
        #expect(lock.isValid)
        try lock.release()
        let again = process.acquireError(scene.data)
        #expect(again == nil)
    }

    @Test("Entries of another process id, left by a fork, are not ours")
    func forkedEntries() {
        let registry = LockRegistry()
        let place = FileIdentity(device: 1, inode: 2)
        let keys = LockRegistry.Keys(directory: place, lockName: "data.rvf.lock", data: place)
        guard case .made(let parents) = registry.reserve(keys, processID: 10, nowNanoseconds: 1) else {
            Issue.record("refused")
            return
        }
        guard case .made(let childs) = registry.reserve(keys, processID: 11, nowNanoseconds: 2) else {
            Issue.record("the parent's entry kept the child out")
            return
        }
        #expect(registry.extend(childs, data: place) == nil)
        guard case .taken(let entry) = registry.reserve(keys, processID: 10, nowNanoseconds: 3) else {
            Issue.record("twice")
            return
        }
        #expect(entry.sinceNanoseconds == 1)
        registry.remove(parents)
        registry.remove(childs)
        guard case .made = registry.reserve(keys, processID: 10, nowNanoseconds: 4) else {
            Issue.record("not given back")
            return
        }
    }

    @Test("In a fork the lock is lost, closed without a word, and stays the parent's")
    func fork() throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        let bytes = Files.bytes(scene.lock)
        let parent = process.id
        // What a child sees of it: the same objects under another id. Its descriptors are copies; here they are
        // looked at, not closed, since they are the parent's.
        process.script.update { $0.processID = parent + 1_000_000 }
        #expect(!lock.isHeld)
        #expect(lock.validationError == .lost(.forked, scene.data))
        #expect(lock.renewalError == .lost(.forked, scene.data))
        let goesOn = lock.renewFromTimer()
        #expect(!goesOn)
        #expect(Files.bytes(scene.lock) == bytes)
        process.script.update { $0.processID = parent }
        #expect(lock.isValid)
        #expect(process.events.losses.isEmpty)
        process.script.update { $0.processID = parent + 1_000_000 }
        process.script.reset()
        let failure = lock.releaseError
        #expect(failure == nil)
        #expect(process.script.log.map(\.kind) == [.close, .close], "nothing but closing")
        #expect(Files.bytes(scene.lock) == bytes)
    }

    @Test("A release may come from any thread, and twice")
    func releaseElsewhere() async throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        await Self.onThreads(8) { _ in
            _ = lock.isValid
            _ = lock.renewalError
            _ = lock.releaseError
        }
        #expect(scene.directory.names == ["data.rvf"])
        #expect(process.script.wrongCloses.isEmpty)
        #expect(process.events.all.filter { $0 == .released }.count == 1)
        #expect(lock.validationError == .handedOver(scene.data))
    }

    @Test("A handle that is dropped gives the lock back")
    func dropped() throws {
        let scene = try Scene()
        let process = Simulated()
        do { _ = try process.acquire(scene.data) }
        #expect(scene.directory.names == ["data.rvf"])
        #expect(process.script.openDescriptors.isEmpty)
        do {
            let lock = try WriterLock.acquire(protecting: scene.data)
            let isHeld = lock.isHeld
            #expect(isHeld)
        }
        #expect(scene.directory.names == ["data.rvf"])
    }
}
