import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// The ways a lock file gets its name, best first, and which calls have to be missing to get there.
enum PublishRung: String, CaseIterable, Sendable {
    case unnamed, rename, link, exclusive

    func apply(to settings: inout HostScript.Settings) {
        let missing: [HostCall] =
            switch self {
            case .unnamed: []
            case .rename: [.openUnnamed]
            case .link: [.openUnnamed, .renameExclusively]
            case .exclusive: [.openUnnamed, .renameExclusively, .link]
            }
        for call in missing { settings.unsupported[call] = .notSupported }
    }
}

@Suite struct AcquireTests {
    @Test(
        "On every rung the lock file is complete, guarded, and gone after the release",
        arguments: PublishRung.allCases, [true, false])
    func everyRung(rung: PublishRung, hasData: Bool) throws {
        let scene = try Scene(hasData: hasData)
        let process = Simulated(prepare: rung.apply)
        let lock = try process.acquire(scene.data)
        let record = try #require(Files.record(scene.lock))
        #expect(record.processID == UInt32(process.id))
        #expect(record.hostName == Array("here".utf8))
        #expect(record.writerID == lock.writerID)
        #expect(record.isGuarded)
        #expect(lock.isValid)
        let refusal = Simulated().acquireError(scene.data)
        guard case .held(let obstacle) = refusal else {
            Issue.record("not refused: \(String(describing: refusal))")
            return
        }
        #expect(obstacle.kind == .held(.kernelLock))
        #expect(obstacle.holder?.writerID == lock.writerID)
        try lock.release()
        #expect(scene.directory.names == (hasData ? ["data.rvf"] : []))
        #expect(process.script.openDescriptors.count == 1, "the directory's, until the handle goes")
        #expect(process.script.wrongCloses.isEmpty)
        #expect(process.events.all == [.acquired(lock.writerID), .released])
    }
}
