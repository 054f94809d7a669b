import Foundation
import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Creating and replacing the protected file under the lock.
@Suite struct DraftTests {
    /// Without unnamed files a draft has a private name from the start.
    static let ways: [PublishRung] = [.unnamed, .rename, .link]

    private func fill(_ draft: borrowing ProtectedFileDraft<TestHost>, _ bytes: [UInt8]) throws {
        _ = try draft.descriptor.writeAll(bytes)
    }

    /// What publishing says, if it fails.
    private func publishError(_ lock: TestLock, _ draft: consuming ProtectedFileDraft<TestHost>) -> LockError? {
        do throws(LockError) {
            try lock.publish(draft)
            return nil
        } catch { return error }
    }

    @Test("A new protected file is complete and guarded when it appears", arguments: ways)
    func create(way: PublishRung) throws {
        let scene = try Scene(hasData: false)
        let process = Simulated(prepare: way.apply)
        let lock = try process.acquire(scene.data)
        #expect(!lock.hasProtectedFile)
        let draft = try lock.draftProtectedFile()
        try fill(draft, [1, 2, 3])
        #expect(!Files.exists(scene.data))
        let data = scene.data
        let early = Box<[UInt8]?>(nil)
        process.script.intercept { _ in
            if early.value == nil { early.value = Files.bytes(data) }
            return nil
        }
        try lock.publish(draft)
        process.script.intercept(nil)
        #expect(early.value == [1, 2, 3])
        #expect(lock.hasProtectedFile)
        #expect(lock.isValid)
        Files.remove(scene.lock)
        guard case .held(let obstacle) = Simulated().acquireError(scene.data) else {
            Issue.record("the new file is not guarded")
            return
        }
        #expect(obstacle.kind == .protectedFileLocked)
        try? lock.release()
        #expect(scene.directory.names == ["data.rvf"])
    }

    @Test("A file that another program made meanwhile stays, and the lock stays usable", arguments: ways)
    func createdByOthers(way: PublishRung) throws {
        for isSeenBefore in [false, true] {
            let scene = try Scene(hasData: false)
            let process = Simulated(prepare: way.apply)
            let lock = try process.acquire(scene.data)
            let draft = try lock.draftProtectedFile()
            try fill(draft, [1, 2, 3])
            Files.write([9], scene.data)
            if isSeenBefore { try lock.validate() }
            let failure = publishError(lock, draft)
            #expect(failure == .protectedFileExists(scene.data))
            #expect(Files.bytes(scene.data) == [9], "somebody else's file was replaced")
            #expect(scene.litter.isEmpty)
            let problem = lock.validationError
            #expect(problem == nil)
            #expect(lock.hasProtectedFile)
            Files.remove(scene.lock)
            let isRefused = Simulated().acquireError(scene.data) != nil
            #expect(isRefused, "the appeared file is guarded")
        }
    }

    @Test("A replacement is guarded before it has the name, and the old guard stays until then")
    func replace() throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        let draft = try lock.draftProtectedFile()
        try fill(draft, [4, 5])
        let free = Counter()
        let others = (0..<60).map { _ in Simulated() }
        let (data, lockPath) = (scene.data, scene.lock)
        // Even without the lock file, nobody gets in at any call.
        process.script.reset()
        process.script.intercept { call in
            let record = Files.bytes(lockPath)
            let aside = FilePath(lockPath.string + ".aside")
            Files.rename(lockPath, to: aside)
            let other = others[call.index]
            other.becomeImpatient()
            if other.acquireError(data) == nil { free.up() }
            Files.rename(aside, to: lockPath)
            return record == nil ? .ioError : nil
        }
        try lock.publish(draft)
        process.script.intercept(nil)
        #expect(free.now == 0)
        #expect(process.script.callCount > 5)
        #expect(Files.bytes(scene.data) == [4, 5])
        #expect(lock.isValid)
        try lock.release()
        #expect(scene.directory.names == ["data.rvf"])
        #expect(process.script.openDescriptors.count == 1)
    }

    @Test("A hard-linked file is not replaced")
    func hardLinked() throws {
        let scene = try Scene()
        Files.makeHardLink(scene.directory.file("other"), to: scene.data)
        let lock = try Simulated().acquire(scene.data)
        let draft = try lock.draftProtectedFile()
        let failure = publishError(lock, draft)
        #expect(failure == .hardLinked(scene.data))
        #expect(Files.bytes(scene.data) == Array("vectors".utf8))
        #expect(lock.isValid)
        #expect(scene.litter.isEmpty)
    }

    @Test("A symbolic link stays, and what it leads to is replaced")
    func symbolicLink() throws {
        let scene = try Scene(hasData: false)
        let store = scene.directory.file("store")
        Files.makeDirectory(store)
        let target = store.appending("real.rvf")
        Files.write([1], target)
        Files.makeLink(scene.data, to: "store/real.rvf")
        let lock = try Simulated().acquire(scene.data)
        let draft = try lock.draftProtectedFile()
        try fill(draft, [2])
        try lock.publish(draft)
        #expect(Files.bytes(target) == [2])
        #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: scene.data.string)) == "store/real.rvf")
        #expect(lock.isValid)
        try lock.release()
    }

    @Test("A dropped draft leaves nothing", arguments: ways, [false, true])
    func dropped(way: PublishRung, hasData: Bool) throws {
        let scene = try Scene(hasData: hasData)
        let process = Simulated(prepare: way.apply)
        let lock = try process.acquire(scene.data)
        let before = process.script.openDescriptors
        do {
            let draft = try lock.draftProtectedFile()
            try fill(draft, [1])
        }
        #expect(process.script.openDescriptors == before)
        #expect(scene.litter.isEmpty)
        #expect(lock.isValid)
    }

    @Test("Whichever call of publishing fails, the file is the old or the new one, and the lock is usable", arguments: ways)
    func everyFailure(way: PublishRung) throws {
        for hasData in [false, true] {
            for index in 0..<100 {
                let scene = try Scene(hasData: hasData)
                let process = Simulated(prepare: way.apply)
                let lock = try process.acquire(scene.data)
                process.script.reset()
                let failed = Box<HostScript.Call?>(nil)
                process.script.intercept { call in
                    guard call.index == index else { return nil }
                    failed.value = call
                    return .ioError
                }
                do {
                    let draft = try lock.draftProtectedFile()
                    try fill(draft, [1, 2])
                    try lock.publish(draft)
                } catch {
                    #expect("\(error)".contains("data.rvf"))
                }
                process.script.intercept(nil)
                guard let call = failed.value else { break }
                let context: Comment = "\(hasData), call \(index) \(call.kind) \(call.name?.string ?? "")"
                let content = Files.bytes(scene.data)
                #expect(content == [1, 2] || content == (hasData ? Array("vectors".utf8) : nil), context)
                let problem = lock.validationError
                #expect(problem == nil, context)
                #expect(scene.litter.isEmpty || call.kind == .unlink, context)
                #expect(process.events.losses.isEmpty, context)
                // Whatever stands there now is guarded.
                Files.remove(scene.lock)
                let other = Simulated()
                other.becomeImpatient()
                let isRefused = other.acquireError(scene.data) != nil
                if content != nil { #expect(isRefused, context) }
            }
        }
    }

    @Test("A file that appears under the lock while somebody looks at it is no loss")
    func judgeHoldsAppearedFile() throws {
        let scene = try Scene(hasData: false)
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        Files.write([9], scene.data)
        // A judge has its guard for a moment, until we wait for the first time.
        let judge = try FileDescriptor.open(scene.data, .readWrite)
        let judgeHost = Simulated().host
        #expect(try judgeHost.tryLock(judge))
        let isOpen = Box(true)
        process.script.intercept { call in
            if call.kind == .sleep, isOpen.value {
                isOpen.value = false
                judgeHost.close(judge)
            }
            return nil
        }
        let problem = lock.validationError
        #expect(problem == nil)
        if isOpen.value { judgeHost.close(judge) }
    }
}
