import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// How a holder learns that the lock is no longer its own.
@Suite struct LossTests {
    /// What somebody does behind the holder's back, and what the holder is told.
    enum Deed: CaseIterable, Sendable {
        case lockRemoved, lockReplaced, lockReplacedByTheSameBytes, lockOverwritten, lockTruncated
        case lockIsDirectory, lockIsFIFO, lockIsLinkToItself
        case dataReplaced, dataRemoved, dataMadeAnew, dataIsDirectory

        func happen(_ data: FilePath, _ lock: FilePath) {
            let bytes = Files.bytes(lock) ?? []
            switch self {
            case .lockRemoved: Files.remove(lock)
            case .lockReplaced: Files.replace(lock, with: Peer.living().encoded())
            case .lockReplacedByTheSameBytes: Files.replace(lock, with: bytes)
            case .lockOverwritten: Files.overwrite(lock, with: Peer.living().encoded())
            case .lockTruncated: Files.overwrite(lock, with: [])
            case .lockIsDirectory:
                Files.remove(lock)
                Files.makeDirectory(lock)
            case .lockIsFIFO:
                Files.remove(lock)
                Files.makeFIFO(lock)
            case .lockIsLinkToItself:
                Files.rename(lock, to: FilePath(lock.string + ".moved"))
                Files.makeLink(lock, to: lock.lastComponent!.string + ".moved")
            case .dataReplaced: Files.replace(data, with: [1])
            case .dataRemoved: Files.remove(data)
            case .dataMadeAnew:
                // A file system that has just got an inode back likes to use it again.
                Files.remove(data)
                Files.write([1], data)
            case .dataIsDirectory:
                Files.remove(data)
                Files.makeDirectory(data)
            }
        }

        func explains(_ reason: LossReason) -> Bool {
            switch (self, reason) {
            case (.lockRemoved, .missing): true
            case (.lockReplaced, .replaced(let holder)): holder?.record.writerID == Peer.living().writerID
            case (.lockReplacedByTheSameBytes, .replaced(.some)): true
            case (.lockOverwritten, .overwritten(let holder)): holder?.record.writerID == Peer.living().writerID
            case (.lockTruncated, .overwritten(nil)): true
            case (.lockIsDirectory, .replaced(nil)), (.lockIsFIFO, .replaced(nil)), (.lockIsLinkToItself, .replaced(nil)): true
            case (.dataReplaced, .protectedFileReplaced), (.dataRemoved, .protectedFileReplaced): true
            case (.dataMadeAnew, .protectedFileReplaced), (.dataIsDirectory, .protectedFileReplaced): true
            default: false
            }
        }

        var isAboutData: Bool { [.dataReplaced, .dataRemoved, .dataMadeAnew, .dataIsDirectory].contains(self) }
    }

    @Test("A loss is told at the next validate or renewal with its reason, once, and is final", arguments: Deed.allCases, Profile.allCases)
    func told(deed: Deed, profile: Profile) throws {
        for asksByRenewal in [false, true] {
            let scene = try Scene()
            let process = Simulated(prepare: profile.apply)
            let lock = try process.acquire(scene.data)
            deed.happen(scene.data, scene.lock)
            let after = Files.bytes(scene.lock)
            process.script.reset()
            let error = asksByRenewal ? lock.renewalError : lock.validationError
            guard case .lost(let reason, scene.data) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(deed.explains(reason), "\(reason)")
            #expect(!process.script.log.contains { $0.kind == .write }, "nothing is written under a lost lock")
            #expect(!lock.isHeld)
            for _ in 0..<2 {
                #expect(lock.validationError == error)
                #expect(lock.renewalError == error)
                let goesOn = lock.renewFromTimer()
                #expect(!goesOn)
            }
            let failure = lock.releaseError
            #expect(failure == error)
            #expect(process.events.losses == [reason])
            // What is still ours goes; what is somebody else's stays.
            #expect(Files.bytes(scene.lock) == (deed.isAboutData ? nil : after))
            #expect(process.script.wrongCloses.isEmpty)
            #expect(process.script.openDescriptors.count == 1)
        }
    }

    @Test("A lock that was put back in time was never lost")
    func putBack() throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        let aside = FilePath(scene.lock.string + ".aside")
        Files.rename(scene.lock, to: aside)
        Files.rename(aside, to: scene.lock)
        #expect(lock.isValid)
        // Growing and shortening the protected file is what holders do.
        Files.overwrite(scene.data, with: [UInt8](repeating: 1, count: 5000))
        #expect(lock.isValid)
        Files.overwrite(scene.data, with: [])
        #expect(lock.isValid)
        try lock.release()
    }

    @Test("An observer may ask and release the lock from within its callback")
    func reentrancy() throws {
        let scene = try Scene()
        let process = Simulated()
        let held = Box<TestLock?>(nil)
        let seen = Counter()
        let options = LockOptions(observer: { event in
            guard case .lost = event else { return }
            seen.up()
            if held.value?.isHeld == false { try? held.value?.release() }
        })
        let lock = try process.acquire(scene.data, options)
        held.value = lock
        Files.remove(scene.lock)
        #expect(lock.lossReason == .missing)
        #expect(seen.now == 1)
        #expect(process.script.openDescriptors.count == 1, "the callback's release closed the files")
        held.value = nil
    }

    @Test("A protected file that appears under the lock is guarded from the next validate on")
    func dataAppears() throws {
        for profile in Profile.allCases {
            let scene = try Scene(hasData: false)
            let process = Simulated(prepare: profile.apply)
            let lock = try process.acquire(scene.data)
            Files.write([1], scene.data)
            #expect(lock.isValid)
            #expect(lock.hasProtectedFile)
            Files.replace(scene.data, with: [2])
            #expect(lock.lossReason == .protectedFileReplaced)
        }
    }
}
