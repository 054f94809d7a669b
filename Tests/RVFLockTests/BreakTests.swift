import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Removing a lock by name.
@Suite struct BreakTests {
    private func breaking(
        _ scene: borrowing Scene, _ target: LockBreak.Target, force: Bool = false, as process: Simulated = Simulated()
    ) -> Result<LockBreak, LockError> {
        defer { #expect(process.script.openDescriptors.isEmpty) }
        do throws(LockError) {
            let work = try LockBreaking(host: process.host, path: scene.data, target: target, isForced: force)
            return .success(try work.run())
        } catch { return .failure(error) }
    }

    private func failure(_ result: Result<LockBreak, LockError>) -> LockError? {
        if case .failure(let error) = result { error } else { nil }
    }

    private let other = WriterID(bytes: [UInt8](repeating: 0x11, count: 16))!

    @Test("Only the very writer that was named is broken")
    func exactWriter() throws {
        let scene = try Scene()
        #expect(failure(breaking(scene, .writer(other))) == .notLocked(scene.data))
        let record = Peer.record(host: "far")
        scene.putLock(record)
        guard case .otherWriter(_, let holder) = failure(breaking(scene, .writer(other), force: true)) else {
            Issue.record("broken")
            return
        }
        #expect(holder?.record == record)
        guard case .otherWriter = failure(breaking(scene, .malformed, force: true)) else {
            Issue.record("broken")
            return
        }
        #expect(Files.bytes(scene.lock) == record.encoded())
        let result = try breaking(scene, .writer(record.writerID)).get()
        #expect(result.holder?.record == record)
        #expect(!result.wasForced)
        #expect(scene.directory.names == ["data.rvf"])
    }

    @Test("A holder that is provably alive is broken only by force, and learns of it")
    func live() throws {
        for profile in [Profile.local, .layered] {
            let scene = try Scene()
            let process = Simulated(prepare: profile.apply)
            let lock = try process.acquire(scene.data)
            let breaker = Simulated(prepare: profile.apply)
            breaker.becomeImpatient()
            guard case .holderAlive(let obstacle) = failure(breaking(scene, .writer(lock.writerID), as: breaker)) else {
                Issue.record("broken")
                continue
            }
            #expect(obstacle.kind == .held(.kernelLock))
            #expect(lock.isValid)
            let result = try breaking(scene, .writer(lock.writerID), force: true, as: breaker).get()
            #expect(result.wasForced)
            #expect(!Files.exists(scene.lock))
            // Its kernel lock keeps others of ours out until it notices.
            let isRefused = Simulated(prepare: profile.apply).acquireError(scene.data) != nil
            #expect(isRefused)
            #expect(lock.lossReason == .missing)
        }
    }

    @Test("A live naive peer of this host is refused too, and a dead one is not")
    func naive() throws {
        let scene = try Scene()
        let living = Peer.living()
        scene.putLock(living)
        guard case .holderAlive(let obstacle) = failure(breaking(scene, .writer(living.writerID))) else {
            Issue.record("broken")
            return
        }
        #expect(obstacle.kind == .held(.processAlive))
        #expect("\(LockError.holderAlive(obstacle))".contains("refused"))
        let dead = Peer.record(ageSeconds: 1)
        scene.putLock(dead)
        #expect(failure(breaking(scene, .writer(dead.writerID))) == nil)
        #expect(!Files.exists(scene.lock))
    }

    @Test("A file without a record is broken as malformed, and as nothing else")
    func malformed() throws {
        for bytes: [UInt8] in [[], [1], [UInt8](repeating: 0, count: 103), [UInt8](repeating: 0, count: 200)] {
            let scene = try Scene()
            Files.write(bytes, scene.lock)
            guard case .otherWriter(_, nil) = failure(breaking(scene, .writer(other))) else {
                Issue.record("broken")
                continue
            }
            let result = try breaking(scene, .malformed).get()
            #expect(result.problems.contains(.size))
            #expect(result.holder == nil)
            #expect(scene.directory.names == ["data.rvf"])
        }
        // A record whose checksum is wrong names a writer.
        let scene = try Scene()
        var bytes = Peer.record(host: "far").encoded()
        bytes[0x64] ^= 1
        Files.write(bytes, scene.lock)
        guard case .otherWriter = failure(breaking(scene, .malformed)) else {
            Issue.record("broken")
            return
        }
        #expect(try breaking(scene, .writer(Peer.record().writerID)).get().problems == .checksum)
    }

    @Test("What comes in the lock's place between the look and the breaking stays, at whichever call")
    func replacedMeanwhile() throws {
        let record = Peer.record(host: "far", ageSeconds: 400)
        for way in ["replaced", "overwritten"] {
            for index in 0..<100 {
                let scene = try Scene()
                scene.putLock(record)
                let breaker = Simulated()
                let (path, peer) = (scene.lock, Peer.living().encoded())
                let hit = Box<HostScript.Call?>(nil)
                let happened = Box(false)
                breaker.script.intercept { call in
                    guard call.index == index else { return nil }
                    hit.value = call
                    if way == "replaced" || Files.exists(path) { happened.value = true }
                    if way == "replaced" { Files.replace(path, with: peer) } else { Files.overwrite(path, with: peer) }
                    return nil
                }
                _ = breaking(scene, .writer(record.writerID), as: breaker)
                guard let call = hit.value else { break }
                let context: Comment = "\(way) at \(index) \(call.kind) \(call.name?.string ?? "")"
                #expect(Files.bytes(scene.lock) == (happened.value ? peer : nil), context)
                #expect(scene.litter.isEmpty, context)
            }
        }
    }

    @Test("Whichever call of a breaking fails, the file is broken or stays, and nothing else stays")
    func everyFailure() throws {
        for profile in Profile.allCases {
            for index in 0..<100 {
                let scene = try Scene()
                let record = Peer.record(ageSeconds: 400)
                scene.putLock(record)
                let breaker = Simulated(prepare: profile.apply)
                let failed = Box<HostScript.Call?>(nil)
                breaker.script.intercept { call in
                    guard call.index == index else { return nil }
                    failed.value = call
                    return .ioError
                }
                let result = breaking(scene, .writer(record.writerID), as: breaker)
                guard let call = failed.value else { break }
                let context: Comment = "\(profile), call \(index) \(call.kind) \(call.name?.string ?? "")"
                if case .failure(let error) = result {
                    #expect("\(error)".contains("data.rvf"), context)
                    if call.kind != .unlink { #expect(Files.bytes(scene.lock) == record.encoded(), context) }
                } else {
                    #expect(!Files.exists(scene.lock), context)
                }
                #expect(scene.litter.isEmpty || call.kind == .unlink, context)
            }
        }
    }
}
