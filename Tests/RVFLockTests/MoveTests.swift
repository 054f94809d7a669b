import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Giving the protected file another name, so that a new one can be made.
@Suite struct MoveTests {
    private func moveError(_ lock: TestLock, _ name: FilePath, _ identity: FileIdentity) -> LockError? {
        do throws(LockError) {
            try lock.moveProtectedFile(to: name, expecting: identity)
            return nil
        } catch { return error }
    }

    @Test("The lock stays, the moved file is free, also for this process, and a new one takes its place")
    func moves() throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        let old = try #require(Files.identity(scene.data))
        #expect(moveError(lock, "aside", old) == nil)
        try lock.syncDirectory()
        #expect(lock.isValid)
        #expect(!lock.hasProtectedFile)
        let aside = scene.directory.file("aside")
        #expect(Files.identity(aside) == old)
        #expect(process.acquireError(aside) == nil)
        #expect(Simulated().acquireError(scene.data) != nil)

        let draft = try lock.draftProtectedFile(mayReplace: false)
        _ = try draft.descriptor.writeAll([7])
        try lock.publish(draft)
        #expect(Files.bytes(scene.data) == [7])
        #expect(lock.isValid)
        try lock.release()
        #expect(scene.directory.names == ["aside", "data.rvf"])
    }

    @Test("Taken back, the file is guarded again")
    func restores() throws {
        let scene = try Scene()
        let lock = try Simulated().acquire(scene.data)
        let old = try #require(Files.identity(scene.data))
        #expect(moveError(lock, "aside", old) == nil)
        try lock.restoreProtectedFile(from: "aside")
        #expect(lock.isValid)
        #expect(Files.identity(scene.data) == old)
        Files.remove(scene.lock)
        let other = Simulated()
        other.becomeImpatient()
        #expect(other.acquireError(scene.data) != nil)
        try? lock.release()
    }

    @Test("A name that is taken, another file than was meant, and a link are left alone")
    func refuses() throws {
        let scene = try Scene()
        let lock = try Simulated().acquire(scene.data)
        let old = try #require(Files.identity(scene.data))
        let taken = scene.directory.file("taken")
        Files.write([1], taken)
        #expect(moveError(lock, "taken", old) == .system(.replaceProtectedFile, scene.data, .fileExists))
        #expect(Files.bytes(taken) == [1])
        let other = try #require(Files.identity(taken))
        #expect(moveError(lock, "aside", other) == .protectedFileExists(scene.data))
        #expect(lock.isValid)
        #expect(Files.identity(scene.data) == old)

        Files.rename(scene.data, to: scene.directory.file("target"))
        Files.makeLink(scene.data, to: "target")
        #expect(moveError(lock, "aside", old) == .notAFile(scene.data, .symbolicLink))
        #expect(lock.isValid)
        try lock.release()
        #expect(scene.directory.names == ["data.rvf", "taken", "target"])
    }

    @Test("A draft that may not replace never does, whenever the file appeared")
    func draftBesideFile() throws {
        let scene = try Scene()
        let lock = try Simulated().acquire(scene.data)
        let before = Files.bytes(scene.data)
        let draft = try lock.draftProtectedFile(mayReplace: false)
        do throws(LockError) {
            try lock.publish(draft)
            Issue.record("published")
        } catch {
            #expect(error == .protectedFileExists(scene.data))
        }
        #expect(Files.bytes(scene.data) == before)
        try lock.release()
        #expect(scene.directory.names == ["data.rvf"])
    }
}
