import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Fails each single call of each operation, one after the other, with each of some errors. Whatever fails, nobody
/// else's lock is touched, no descriptor leaks, nothing stays that keeps the next process out.
@Suite struct FaultTests {
    static let errors: [Errno] = [.noSpace, .ioError, .tooManyOpenFiles, .permissionDenied, .readOnlyFileSystem, .fileNameTooLong]
    /// More calls than any operation here makes.
    static let mostCalls = 300

    /// What stands at the lock's name when the acquisition begins.
    enum Before: CaseIterable, Sendable {
        case nothing, nothingAndNoData, guardedRecord, naiveRecord, foreignRecord, empty, short, long, badChecksum

        var hasData: Bool { self != .nothingAndNoData }

        func put(_ lock: FilePath) {
            let dead = Peer.record(ageSeconds: 4000)
            switch self {
            case .nothing, .nothingAndNoData: return
            case .guardedRecord: Files.write(Peer.record(isGuarded: true).encoded(), lock)
            case .naiveRecord: Files.write(dead.encoded(), lock)
            case .foreignRecord: Files.write(Peer.record(host: "elsewhere", ageSeconds: 4000).encoded(), lock)
            case .empty: Files.write([], lock)
            case .short: Files.write(Array(dead.encoded().prefix(50)), lock)
            case .long: Files.write(dead.encoded() + [1, 2, 3], lock)
            case .badChecksum:
                var bytes = dead.encoded()
                bytes[0x64] ^= 1
                Files.write(bytes, lock)
            }
            Files.age(lock, seconds: 4000)
        }
    }

    @Test("Whichever call of a publication fails, the next process acquires", arguments: PublishRung.allCases, errors)
    func publicationSurvives(rung: PublishRung, error: Errno) throws {
        for before in [Before.nothing, .nothingAndNoData] { try everyCall(rung, before, error) }
    }

    @Test(
        "Whichever call of a take-over fails, the next process acquires",
        arguments: Before.allCases.filter { $0.hasData && $0 != .nothing }, [Errno.ioError, .permissionDenied])
    func takeOverSurvives(before: Before, error: Errno) throws {
        try everyCall(.unnamed, before, error)
    }

    private func everyCall(_ rung: PublishRung, _ before: Before, _ error: Errno) throws {
        for index in 0..<Self.mostCalls {
            guard try acquire(rung, before, failing: index, with: error) else { return }
        }
        Issue.record("no end of calls")
    }

    /// False where the acquisition made no such call.
    private func acquire(
        _ rung: PublishRung, _ before: Before, failing index: Int, with error: Errno
    ) throws -> Bool {
        let scene = try Scene(hasData: before.hasData)
        before.put(scene.lock)
        let process = Simulated(prepare: rung.apply)
        let failed = Box<HostScript.Call?>(nil)
        process.script.intercept { call in
            guard call.index == index else { return nil }
            failed.value = call
            return error
        }
        var result: Result<Void, LockError>
        do throws(LockError) {
            let lock = try process.acquire(scene.data)
            process.script.intercept(nil)
            // Where the failure did not matter the lock is as good as any.
            let problem = lock.validationError
            #expect(problem == nil, "\(before) \(String(describing: failed.value))")
            try lock.release()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        guard let call = failed.value else { return false }
        let context: Comment = "\(rung), \(before): \(error) at call \(index), \(call.kind) \(call.name?.string ?? "")"
        #expect(process.script.openDescriptors.isEmpty, context)
        #expect(process.script.wrongCloses.isEmpty, context)
        if case .failure(let failure) = result {
            #expect("\(failure)".contains("data.rvf"), context)
            if case .system(_, _, let errno) = failure { #expect(errno == error, context) }
        }
        process.die()
        expectLittleLitter(scene, after: call, context)
        try expectNextAcquires(scene, context)
        return true
    }

    /// A private file may stay only where removing it is what failed, or where a file could not be seen any more.
    private func expectLittleLitter(_ scene: borrowing Scene, after call: HostScript.Call, _ context: Comment) {
        let mayLeave: Set<HostCall> = [.unlink]
        #expect(scene.litter.isEmpty || mayLeave.contains(call.kind), context)
    }

    /// At once, or where a naive record was made young before the failure, after the 30 s of the rules.
    private func expectNextAcquires(_ scene: borrowing Scene, _ context: Comment) throws {
        let next = Simulated()
        if let error = next.acquireError(scene.data) {
            guard case .held(let obstacle) = error else {
                Issue.record("\(error) — \(context)")
                return
            }
            let passing: [LockObstacle.Kind] = [.held(.recentlyDead), .held(.otherHostRecent), .initialising]
            var isPassing = passing.contains(obstacle.kind)
            if case .held(.malformed) = obstacle.kind { isPassing = true }
            #expect(isPassing, "\(error) — \(context)")
            next.script.advance(seconds: 301)
            let later = next.acquireError(scene.data)
            #expect(later == nil, context)
        }
    }
}
