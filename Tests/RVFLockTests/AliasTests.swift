import Foundation
import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// One protected file under several names, and paths that mean something else later.
@Suite struct AliasTests {
    @Test("Two names of one file are one lock, in one process and in two", arguments: [false, true])
    func twoNames(isHardLink: Bool) throws {
        let scene = try Scene()
        let other = scene.directory.file("other.rvf")
        if isHardLink { Files.makeHardLink(other, to: scene.data) } else { Files.makeLink(other, to: "data.rvf") }
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        guard case .held(let obstacle) = process.acquireError(other) else {
            Issue.record("a second handle of the same file")
            return
        }
        #expect(obstacle.kind == .heldInThisProcess)
        guard case .held(let seen) = Simulated().acquireError(other) else {
            Issue.record("a second holder of the same file")
            return
        }
        #expect(seen.kind == .protectedFileLocked, "the other name's lock file says nothing")
        #expect(lock.isValid)
        try lock.release()
        let again = process.acquireError(other)
        #expect(again == nil)
    }

    @Test("Two names of one lock file are one lock where no kernel lock is taken")
    func twoNamesOfTheLock() throws {
        let scene = try Scene()
        let process = Simulated(prepare: Profile.remote.apply)
        let lock = try process.acquire(scene.data)
        Files.write([1], scene.directory.file("b.rvf"))
        Files.makeHardLink(scene.directory.file("b.rvf.lock"), to: scene.lock)
        guard case .held(let obstacle) = process.acquireError(scene.directory.file("b.rvf")) else {
            Issue.record("a second handle of the same lock file")
            return
        }
        #expect(obstacle.kind == .heldInThisProcess)
        try lock.release()
    }

    private func within(_ directory: FilePath, _ process: Simulated) {
        process.script.update { $0.workingDirectory = directory }
    }

    @Test("A relative path means the same file after a chdir")
    func changedDirectory() throws {
        let scene = try Scene()
        let elsewhere = try Scene()
        let process = Simulated()
        within(scene.directory.path, process)
        let lock = try process.acquire("data.rvf")
        within(elsewhere.directory.path, process)
        #expect(lock.isValid)
        try lock.renew()
        try lock.release()
        #expect(scene.directory.names == ["data.rvf"])
        #expect(elsewhere.directory.names == ["data.rvf"])
    }

    @Test("A draft is published where the lock is, and not where its relative path leads by then", arguments: [false, true])
    func publishAfterChangedDirectory(hasData: Bool) throws {
        let scene = try Scene(hasData: false)
        let elsewhere = try TemporaryDirectory()
        let store = scene.directory.file("store")
        let data = store.appending("data.rvf")
        Files.makeDirectory(store)
        if hasData { Files.write([7], data) }
        let process = Simulated()
        within(scene.directory.path, process)
        let lock = try process.acquire("store/data.rvf")
        let synced = Counter()
        within(elsewhere.path, process)
        let draft = try lock.draftProtectedFile()
        _ = try draft.descriptor.writeAll([1])
        process.script.intercept { call in
            if call.kind == .sync { synced.up() }
            return nil
        }
        try lock.publish(draft)
        #expect(Files.bytes(data) == [1])
        #expect(synced.now == 1, "the name is made durable")
        #expect(lock.isValid)
        try lock.release()
    }

    @Test("Compacting through a symbolic link after a chdir never replaces another file")
    func compactAfterChangedDirectory() throws {
        let scene = try Scene(hasData: false)
        let elsewhere = try TemporaryDirectory()
        Files.write([1], scene.directory.file("real.rvf"))
        Files.makeLink(scene.data, to: "real.rvf")
        // A file with the same name, reached through the same relative path.
        Files.write([7], elsewhere.file("real.rvf"))
        Files.makeLink(elsewhere.file("data.rvf"), to: "real.rvf")
        let process = Simulated()
        within(scene.directory.path, process)
        let lock = try process.acquire("data.rvf")
        within(elsewhere.path, process)
        let draft = try lock.draftProtectedFile()
        _ = try draft.descriptor.writeAll([2])
        // Refused, since where the link leads cannot be told any more.
        do throws(LockError) {
            try lock.publish(draft)
            Issue.record("published somewhere")
        } catch {
            #expect(error == .system(.replaceProtectedFile, "data.rvf", .noSuchFileOrDirectory))
        }
        #expect(Files.bytes(elsewhere.file("real.rvf")) == [7], "a foreign file was replaced")
        #expect(Files.bytes(scene.directory.file("real.rvf")) == [1])
        #expect(elsewhere.names == ["data.rvf", "real.rvf"])
        #expect(lock.isValid)
    }

    @Test("The directory may be renamed under the lock")
    func movedDirectory() throws {
        let scene = try Scene(hasData: false)
        let (old, new) = (scene.directory.file("old"), scene.directory.file("new"))
        Files.makeDirectory(old)
        Files.write([1], old.appending("data.rvf"))
        let lock = try Simulated().acquire(old.appending("data.rvf"))
        Files.rename(old, to: new)
        #expect(lock.isValid)
        let refusal = Simulated().acquireError(new.appending("data.rvf"))
        #expect(refusal != nil)
        try lock.release()
        #expect(!Files.exists(new.appending("data.rvf.lock")))
    }
}
