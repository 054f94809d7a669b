import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// What onlookers are told, and that looking changes nothing.
@Suite struct StatusTests {
    @Test("Looking takes no lock, opens nothing for writing and changes nothing, whatever stands there", arguments: Profile.allCases)
    func changesNothing(profile: Profile) throws {
        for before in FaultTests.Before.allCases {
            let scene = try Scene(hasData: before.hasData)
            before.put(scene.lock)
            let bytes = Files.bytes(scene.lock)
            let onlooker = Simulated(prepare: profile.apply)
            for rules in [LockRules.rvf, .ownerLease] {
                let status = onlooker.status(scene.data, rules: rules)
                #expect("\(status)".contains(scene.data.string))
            }
            for call in onlooker.script.log {
                #expect(!call.kind.changesSomething, "\(before): \(call.kind)")
                if call.kind == .open { #expect(call.accessMode == .readOnly, "\(before)") }
            }
            #expect(Files.bytes(scene.lock) == bytes)
            #expect(onlooker.script.openDescriptors.isEmpty)
        }
    }

    @Test("Without a lock file a file is free, and that is certain")
    func free() throws {
        let scene = try Scene()
        let status = Simulated().status(scene.data)
        #expect(status == LockStatus(state: .free, path: scene.data))
        #expect(status.isProven)
        let missing = Simulated().status(scene.directory.file("none/data.rvf"))
        guard case .unreadable(.system(.openDirectory, _, .noSuchFileOrDirectory)) = missing.state else {
            Issue.record("\(missing)")
            return
        }
        #expect(!missing.isProven)
    }

    @Test("A held lock is proven by the kernel's list where it has one, and else presumed from the record")
    func held() throws {
        let scene = try Scene()
        let process = Simulated()
        let lock = try process.acquire(scene.data)
        let seen = Simulated().status(scene.data)
        #expect(seen.state == .held)
        #expect(seen.holder?.writerID == lock.writerID)
        #if os(Linux)
            if case .kernelLock = seen.evidence {
                #expect(seen.isProven)
                #expect("\(seen)".contains("taken by process"), "the record's process is a simulated one")
            }
        #endif
        // Where the list is not there, or shows another namespace.
        let blind = Simulated()
        blind.script.intercept { $0.kind == .lockingProcess ? .noSuchFileOrDirectory : nil }
        let presumed = blind.status(scene.data)
        #expect(presumed.state == .held)
        #expect(presumed.evidence == .presumed(.processAlive))
        #expect(!presumed.isProven)
        process.die()
        // A guarded record of a dead process of this host is stale however young.
        let dead = blind.status(scene.data)
        #expect(dead.state == .stale)
        #expect(dead.evidence == .stale(.processDead))
        // From another host it is held while it is young.
        let far = Simulated(hostName: "elsewhere")
        far.script.intercept { $0.kind == .lockingProcess ? .noSuchFileOrDirectory : nil }
        #expect(far.status(scene.data).evidence == .presumed(.otherHostRecent))
        far.script.advance(seconds: 301)
        #expect(far.status(scene.data).state == .stale)
        #expect(far.status(scene.data, rules: .ownerLease).evidence == .presumed(.otherHostNeverStale))
    }

    @Test("A lock file that somebody removed under its holder shows by the protected file")
    func lockRemoved() throws {
        let scene = try Scene()
        let lock = try Simulated().acquire(scene.data)
        Files.remove(scene.lock)
        let status = Simulated().status(scene.data)
        #if os(Linux)
            if case .kernelLockOnProtectedFile = status.evidence {
                #expect(status.state == .held && status.isProven)
                #expect("\(status)".contains("removed"))
            }
        #endif
        #expect(!lock.isValid)
    }

    @Test("Young and old records without guard are told apart as a judge would")
    func unguarded() throws {
        func status(_ record: LockRecord, rules: LockRules = .rvf) throws -> LockStatus {
            let scene = try Scene()
            scene.putLock(record)
            return Simulated().status(scene.data, rules: rules)
        }
        #expect(try status(Peer.record(ageSeconds: 29)).evidence == .presumed(.recentlyDead))
        #expect(try status(Peer.record(ageSeconds: 31)).evidence == .stale(.processDead))
        #expect(try status(Peer.living()).evidence == .presumed(.processAlive))
        #expect(try status(Peer.record(host: "far", ageSeconds: 299)).evidence == .presumed(.otherHostRecent))
        #expect(try status(Peer.record(host: "far", ageSeconds: 301)).evidence == .stale(.otherHostOld))
        #expect(try status(Peer.record(ageSeconds: 1e6, version: 2)).evidence == .presumed(.unknownVersion))
        #expect(try status(Peer.record(ageSeconds: 1e6, version: 2)).problems == .version)
    }

    @Test("An empty file is on its way for 30 s, and what is no record is stale with what is wrong")
    func malformed() throws {
        let scene = try Scene()
        Files.write([], scene.lock)
        #expect(Simulated().status(scene.data).state == .initialising)
        Files.age(scene.lock, seconds: 31)
        #expect(Simulated().status(scene.data).evidence == .stale(.emptyOld))
        Files.write([1, 2, 3], scene.lock)
        let short = Simulated().status(scene.data)
        #expect(short.state == .stale)
        #expect(short.evidence == .stale(.malformed(.size)))
        #expect(short.problems == .size)
        #expect(short.holder == nil)
        // Rules that leave such a file to a person do not promise that the next writer takes it.
        let refused = Simulated().status(scene.data, rules: .ownerLease)
        #expect(refused.evidence == .presumed(.malformed(.size)))
        #expect(refused.state == .held)
        #expect("\(refused)".contains("rvf lock break --malformed"))
    }

    @Test("Since when: the lock file's birth, or the process's start where that is later")
    func since() throws {
        let scene = try Scene()
        let before = POSIXHost().wallClockNanoseconds() - 1_000_000_000
        let lock = try Simulated().acquire(scene.data)
        let holder = Simulated().status(scene.data).holder
        if let since = holder?.sinceNanoseconds {
            #expect(since > before && since <= POSIXHost().wallClockNanoseconds())
        }
        try lock.release()
    }
}
