import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// What differs where kernel locks prove less, and where the directory or the lock file may not be written.
@Suite struct ProfileTests {
    @Test("Only on a coherent file system a record says that it is guarded", arguments: Profile.allCases)
    func guardByte(profile: Profile) throws {
        for rung in PublishRung.allCases {
            let scene = try Scene()
            let process = Simulated {
                profile.apply(to: &$0)
                rung.apply(to: &$0)
            }
            let lock = try process.acquire(scene.data)
            #expect(Files.record(scene.lock)?.isGuarded == (profile == .local), "\(rung)")
            #expect(Files.bytes(scene.lock)?[0x47] == (profile == .local ? 1 : 0))
            try lock.release()
            #expect(scene.directory.names == ["data.rvf"])
        }
    }

    @Test("On a remote file system no kernel lock is ever asked for, and what is written is synced")
    func remoteAsksForNoLock() throws {
        let scene = try Scene()
        let process = Simulated(prepare: Profile.remote.apply)
        let lock = try process.acquire(scene.data)
        try lock.validate()
        try lock.renew()
        _ = process.status(scene.data)
        _ = try? LockBreaking(host: process.host, path: scene.data, target: .malformed, isForced: false).run()
        try lock.release()
        let calls = process.script.log.map(\.kind)
        #expect(!calls.contains(.tryLock))
        #expect(calls.filter { $0 == .sync }.count == 2, "the record, and its renewal")
    }

    @Test("A take-over on a remote file system settles for 5 s, and validating opens the file anew")
    func remoteSettles() throws {
        let scene = try Scene()
        scene.putLock(Peer.record(ageSeconds: 31))
        let process = Simulated(prepare: Profile.remote.apply)
        let lock = try process.acquire(scene.data)
        #expect(process.script.sleptNanoseconds == 5_000_000_000)
        process.script.reset()
        try lock.validate()
        #expect(process.script.log.contains { $0.kind == .open && $0.name == "data.rvf.lock" })
        try lock.release()
    }

    @Test("On a remote file system the server is asked before every look at a name: the directory is opened", arguments: Profile.allCases)
    func remoteAsksForNames(_ profile: Profile) throws {
        let scene = try Scene()
        let process = Simulated(prepare: profile.apply)
        let lock = try process.acquire(scene.data)
        process.script.reset()
        try lock.validate()
        let looks = process.script.log.filter { $0.kind == .statusOfName || $0.kind == .open && $0.name == "." }
        #expect(looks.contains { $0.name == "data.rvf" && $0.kind == .statusOfName })
        for (index, look) in looks.enumerated() where look.kind == .statusOfName {
            #expect((index > 0 && looks[index - 1].kind == .open) == (profile == .remote), "\(look)")
        }
        try lock.release()
    }

    @Test("A release whose removal a server has made and answered by a failure is no failure")
    func lostReplyOfRemoval() throws {
        let scene = try Scene()
        let process = Simulated(prepare: Profile.remote.apply)
        let lock = try process.acquire(scene.data)
        let directory = scene.directory.path
        process.script.intercept { call in
            guard call.kind == .unlink, let name = call.name else { return nil }
            Files.remove(directory.pushing(name))
            return .noSuchFileOrDirectory
        }
        #expect(lock.releaseError == nil)
        #expect(scene.directory.names == ["data.rvf"])
    }

    @Test("A take-over on a local file system settles for 150 ms, unless no peer can have thought the record stale")
    func localSettles() throws {
        for (age, isGuarded, expected) in [(31.0, false, 150), (26, true, 150), (301, true, 150)] {
            let scene = try Scene()
            scene.putLock(Peer.record(ageSeconds: age, isGuarded: isGuarded))
            Files.age(scene.lock, seconds: age)
            let process = Simulated()
            let lock = try process.acquire(scene.data)
            #expect(process.script.sleptNanoseconds == expected * 1_000_000, "\(age) \(isGuarded)")
            try lock.release()
        }
        // The record that one of ours published, and left behind a second ago.
        let scene = try Scene()
        let dead = Simulated()
        let held = try dead.acquire(scene.data)
        dead.script.intercept { $0.kind == .rename ? .ioError : nil }
        try? held.release()
        dead.die()
        #expect(Files.exists(scene.lock))
        let process = Simulated()
        process.script.advance(seconds: 1)
        let lock = try process.acquire(scene.data)
        #expect(process.script.sleptNanoseconds == 0)
        try lock.release()
    }

    @Test("On a layered file system a busy guard holds, and a free one proves nothing")
    func layered() throws {
        let scene = try Scene()
        let process = Simulated(prepare: Profile.layered.apply)
        let lock = try process.acquire(scene.data)
        #expect(process.script.log.contains { $0.kind == .tryLock })
        let other = Simulated(prepare: Profile.layered.apply)
        let isRefused = other.acquireError(scene.data) != nil
        #expect(isRefused)
        try lock.release()
        // The same record, whose holder's lock was taken through another layer.
        scene.putLock(Peer.living())
        guard case .held(let obstacle) = other.acquireError(scene.data) else {
            Issue.record("a live holder was robbed")
            return
        }
        #expect(obstacle.kind == .held(.processAlive))
    }

    @Test("A stale record that may not be written is exchanged for one of ours")
    func exchange() throws {
        for fate in ["taken", "replaced"] {
            let scene = try Scene()
            scene.putLock(Peer.record(ageSeconds: 4000))
            let old = Files.identity(scene.lock)
            let process = Simulated()
            let (lockPath, peer) = (scene.lock, Peer.living().encoded())
            process.script.intercept { call in
                if call.kind == .open, call.name == "data.rvf.lock", call.accessMode == .readWrite { return .permissionDenied }
                if call.kind == .exchange, fate == "replaced", Files.bytes(lockPath) != peer,
                    call.name?.string.hasPrefix(".rvf-") == true, Files.identity(lockPath) == old
                {
                    Files.replace(lockPath, with: peer)
                }
                return nil
            }
            if fate == "taken" {
                let lock = try process.acquire(scene.data)
                #expect(Files.identity(scene.lock) != old)
                #expect(process.script.sleptNanoseconds == 150_000_000)
                #expect(Files.record(scene.lock)?.writerID == lock.writerID)
                #expect(Files.record(scene.lock)?.isGuarded == true)
                #expect(lock.isValid)
                try lock.release()
                #expect(scene.directory.names == ["data.rvf"])
            } else {
                let error = process.acquireError(scene.data)
                guard case .held(let obstacle) = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
                #expect(obstacle.kind == .held(.processAlive))
                #expect(Files.bytes(scene.lock) == peer, "the live peer's lock is back at its name")
                #expect(scene.litter.isEmpty)
            }
            #expect(process.script.openDescriptors.count <= 1)
        }
    }

    @Test("Whatever fails in an exchange, nobody's lock is lost", arguments: [Errno.ioError, .permissionDenied])
    func exchangeFails(error: Errno) throws {
        let lockName: FilePath = "data.rvf.lock"
        for isReplaced in [false, true] {
            for index in 0..<200 {
                let scene = try Scene()
                scene.putLock(Peer.record(ageSeconds: 4000))
                let (lockPath, peer) = (scene.lock, Peer.living().encoded())
                let process = Simulated()
                let failed = Box<HostScript.Call?>(nil)
                let exchanges = Counter()
                process.script.intercept { call in
                    if call.kind == .exchange, exchanges.up() == 1, isReplaced { Files.replace(lockPath, with: peer) }
                    if call.index == index {
                        failed.value = call
                        return error
                    }
                    let isLock = call.kind == .open && call.name == lockName && call.accessMode == .readWrite
                    return isLock ? .permissionDenied : nil
                }
                if let lock = try? process.acquire(scene.data) {
                    process.script.intercept(nil)
                    try? lock.release()
                }
                guard let call = failed.value else { break }
                let context: Comment = "\(isReplaced), call \(index) \(call.kind) \(call.name?.string ?? "")"
                #expect(process.script.openDescriptors.isEmpty, context)
                process.die()
                if isReplaced && exchanges.now > 0 {
                    let places = [scene.lock] + scene.litter.map { scene.directory.file($0) }
                    #expect(places.contains { Files.bytes($0) == peer }, "the peer's file is gone, \(context)")
                    // Putting it back may be what failed.
                    if call.kind != .exchange { #expect(Files.bytes(scene.lock) == peer, context) }
                } else {
                    let refusal = Simulated().acquireError(scene.data)
                    #expect(refusal == nil, "\(String(describing: refusal)) \(context)")
                }
            }
        }
    }

    @Test("A directory that may not be written is said before a stale record is touched")
    func readOnlyDirectory() throws {
        for error in [Errno.permissionDenied, .readOnlyFileSystem] {
            let scene = try Scene()
            scene.putLock(Peer.record(ageSeconds: 4000))
            let before = Files.bytes(scene.lock)
            let process = Simulated {
                $0.unsupported[.checkWritable] = error
                $0.unsupported[.openUnnamed] = error
            }
            guard case .system(_, scene.data, error) = process.acquireError(scene.data) else {
                Issue.record("acquired")
                continue
            }
            #expect(Files.bytes(scene.lock) == before)
            #expect(process.script.openDescriptors.isEmpty)
        }
    }

    @Test("Short reads and writes of a byte each make the same record", arguments: PublishRung.allCases)
    func oneByteAtATime(rung: PublishRung) throws {
        let scene = try Scene()
        scene.putLock(Peer.record(ageSeconds: 4000))
        let process = Simulated {
            rung.apply(to: &$0)
            $0.mostBytesAtOnce = 1
        }
        for _ in 0..<2 {
            let lock = try process.acquire(scene.data)
            try lock.renew()
            #expect(LockRecordReading(Files.bytes(scene.lock) ?? []).problems.isEmpty)
            #expect(lock.isValid)
            try lock.release()
        }
    }

    @Test("The lock file's mode follows the protected file's, and where modes cannot be set the lock is taken all the same")
    func mode() throws {
        for (data, expected) in [(0o600, 0o600), (0o664, 0o664), (0o666, 0o666), (0o755, 0o644), (0o400, 0o600)] as [(Int, UInt32)] {
            for error in [nil, Errno.notPermitted, .notSupported] {
                let scene = try Scene()
                let file = try FileDescriptor.open(scene.data, .readOnly)
                try POSIXHost().setPermissions(file, FilePermissions(rawValue: FilePermissions.RawValue(data)))
                try file.close()
                // Only the superuser opens an unwritable file for writing.
                if data == 0o400 && POSIXHost().userID != 0 { continue }
                let process = Simulated { $0.unsupported[.setPermissions] = error }
                let lock = try process.acquire(scene.data)
                let status = try POSIXHost().status(of: "data.rvf.lock", in: lock.site.directory, followingLinks: false)
                if error == nil { #expect(status.permissions == expected) }
                try lock.release()
            }
        }
    }
}
