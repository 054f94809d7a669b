import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Failing calls while the lock is held, and in giving it up.
@Suite struct FaultHoldTests {
    static let errors: [Errno] = [.noSpace, .ioError, .tooManyOpenFiles, .permissionDenied]

    static let local: @Sendable (inout HostScript.Settings) -> Void = { _ in }
    static let layered: @Sendable (inout HostScript.Settings) -> Void = {
        $0.fileSystemType = FileSystemType(name: "overlayfs", guardMeaning: .layered)
    }
    static let remote: @Sendable (inout HostScript.Settings) -> Void = {
        $0.fileSystemType = FileSystemType(name: "nfs", guardMeaning: .remote)
    }

    /// Runs an operation again and again, each time with the next of its calls failing.
    private func everyCall(
        of process: Simulated, with error: Errno, _ operation: () throws -> Bool
    ) throws {
        for index in 0..<200 {
            process.script.reset()
            let failed = Box<HostScript.Call?>(nil)
            process.script.intercept { call in
                guard call.index == index else { return nil }
                failed.value = call
                return error
            }
            let goesOn = try operation()
            process.script.intercept(nil)
            if failed.value == nil { return }
            if !goesOn { return }
        }
        Issue.record("no end of calls")
    }

    @Test("A call that fails in validate or renew is told, and is not a loss", arguments: errors, [0, 1, 2])
    func holdingSurvives(error: Errno, profile: Int) throws {
        let scene = try Scene()
        let process = Simulated(prepare: [Self.local, Self.layered, Self.remote][profile])
        let lock = try process.acquire(scene.data)
        for operation in [{ lock.validationError }, { lock.renewalError }] {
            try everyCall(of: process, with: error) {
                if let failure = operation() {
                    guard case .system(_, _, error) = failure else {
                        Issue.record("\(failure)")
                        return false
                    }
                }
                process.script.intercept(nil)
                let problem = lock.validationError
                #expect(problem == nil)
                #expect(LockRecordReading(Files.bytes(scene.lock) ?? []).problems.isEmpty)
                return true
            }
        }
        #expect(process.events.losses.isEmpty)
        try lock.release()
        #expect(scene.directory.names == ["data.rvf"])
    }

    @Test("A call that fails in a release leaves nothing that keeps others out", arguments: errors, [0, 1, 2])
    func releaseSurvives(error: Errno, profile: Int) throws {
        for index in 0..<200 {
            let scene = try Scene()
            let process = Simulated(prepare: [Self.local, Self.layered, Self.remote][profile])
            let failed = Box<HostScript.Call?>(nil)
            do {
                let lock = try process.acquire(scene.data)
                process.script.reset()
                process.script.intercept { call in
                    guard call.index == index else { return nil }
                    failed.value = call
                    return error
                }
                let failure = lock.releaseError
                if let failure { #expect("\(failure)".contains("data.rvf")) }
                let again = lock.releaseError
                #expect(again == nil, "a second release has nothing to do")
            }
            guard let call = failed.value else { return }
            let context: Comment = "\(error) at call \(index), \(call.kind) \(call.name?.string ?? "")"
            #expect(process.script.openDescriptors.isEmpty, context)
            #expect(process.script.wrongCloses.isEmpty, context)
            #expect(scene.litter.isEmpty || call.kind == .unlink, context)
            let next = Simulated(prepare: [Self.local, Self.layered, Self.remote][profile])
            let refusal = next.acquireError(scene.data)
            #expect(refusal == nil, context)
        }
        Issue.record("no end of calls")
    }

    @Test(
        "A process that dies at any call leaves no short lock file, and nothing that outlives its kernel lock",
        arguments: PublishRung.allCases)
    func deathAtEveryCall(rung: PublishRung) throws {
        for index in 0..<300 {
            let scene = try Scene()
            let process = Simulated(prepare: rung.apply)
            let isOver = Counter()
            let short = Counter()
            let lock = scene.lock
            process.script.intercept { call in
                if let bytes = Files.bytes(lock), !LockRecordReading(bytes).problems.isEmpty { short.up() }
                guard call.index >= index else { return nil }
                // A dead process makes no calls: all fail, but the kernel closes its files.
                isOver.up()
                return .ioError
            }
            do {
                let held = try? process.acquire(scene.data)
                try? held?.renew()
                try? held?.release()
            }
            if isOver.now == 0 { return }
            process.die()
            #expect(process.script.openDescriptors.isEmpty, "death at call \(index)")
            if rung != .exclusive { #expect(short.now == 0, "a short lock file, death at call \(index)") }
            let next = Simulated()
            if rung == .exclusive { Files.age(scene.lock, seconds: 31) }
            let refusal = next.acquireError(scene.data)
            #expect(refusal == nil, "death at call \(index): \(String(describing: refusal))")
        }
        Issue.record("no end of calls")
    }
}
