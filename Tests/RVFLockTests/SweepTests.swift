import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Private files that crashes left behind, and those that only look so.
@Suite struct SweepTests {
    private func name(_ scene: borrowing Scene, _ number: UInt64) throws -> FilePath {
        let site = try LockSite(host: POSIXHost(), path: scene.data)
        return scene.directory.path.pushing(site.privateName(number))
    }

    private func sweep(_ scene: borrowing Scene, _ prepare: (inout HostScript.Settings) -> Void = { _ in }) throws {
        let lock = try Simulated(prepare: prepare).acquire(scene.data)
        try lock.release()
    }

    @Test("What a dead process left is removed once it is 30 s old")
    func removesOld() throws {
        for content in [Peer.record(ageSeconds: 100, isGuarded: true).encoded(), Peer.record(ageSeconds: 100).encoded(), [], [1]] {
            let scene = try Scene()
            let litter = try name(scene, 1)
            Files.write(content, litter)
            try sweep(scene)
            #expect(Files.exists(litter), "it may belong to somebody at work")
            Files.age(litter, seconds: 31)
            try sweep(scene)
            #expect(!Files.exists(litter))
        }
    }

    @Test("What may be somebody's lock stays: one that is guarded, or that names a live process")
    func keepsLive() throws {
        let scene = try Scene()
        let guarded = try name(scene, 1)
        Files.write(Peer.record(ageSeconds: 100, isGuarded: true).encoded(), guarded)
        let owner = Simulated()
        let file = try FileDescriptor.open(guarded, .readWrite)
        #expect(try owner.host.tryLock(file))
        let naive = try name(scene, 2)
        Files.write(Peer.living().encoded(), naive)
        let foreign = try name(scene, 3)
        Files.write(Peer.record(host: "far", ageSeconds: 100).encoded(), foreign)
        for path in [guarded, naive, foreign] { Files.age(path, seconds: 4000) }
        try sweep(scene)
        for path in [guarded, naive, foreign] { #expect(Files.exists(path), "\(path)") }
        owner.host.close(file)
        try sweep(scene)
        #expect(!Files.exists(guarded))
    }

    @Test("Only this lock's regular private files are looked at")
    func keepsOthers() throws {
        let scene = try Scene()
        let others = [".rvf-", ".rvf-00000000-0000000000000000.tmp", "data.rvf.lock.old", ".rvf-other"]
        for other in others {
            Files.write([], scene.directory.file(other))
            Files.age(scene.directory.file(other), seconds: 4000)
        }
        let (directory, link) = (try name(scene, 1), try name(scene, 2))
        Files.makeDirectory(directory)
        Files.makeLink(link, to: "data.rvf")
        try sweep(scene)
        for other in others { #expect(Files.exists(scene.directory.file(other)), "\(other)") }
        #expect(Files.exists(directory) && Files.exists(link))
        #expect(Files.bytes(scene.data) == Array("vectors".utf8))
    }

    @Test("Whoever is refused sweeps nothing")
    func onlyHolders() throws {
        let scene = try Scene()
        let litter = try name(scene, 1)
        Files.write([], litter)
        Files.age(litter, seconds: 4000)
        scene.putLock(Peer.living())
        let isRefused = Simulated().acquireError(scene.data) != nil
        #expect(isRefused)
        #expect(Files.exists(litter))
    }

    @Test("A second name of the lock file, which a publisher left that was killed, goes with the next holder")
    func removesSecondName() throws {
        let scene = try Scene()
        scene.putLock(Peer.record(ageSeconds: 100))
        let second = try name(scene, 1)
        Files.makeHardLink(second, to: scene.lock)
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        #expect(!Files.exists(second))
        #expect(lock.isValid)
        try lock.release()
        #expect(!Files.exists(scene.lock))
    }
}
