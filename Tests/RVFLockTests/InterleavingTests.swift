import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Every disturbance at every call of every operation: never are there two who may write, and nothing of somebody
/// else's is removed or written over.
@Suite struct InterleavingTests {
    enum Operation: String, CaseIterable, Sendable {
        case acquire, acquireWithoutData, takeOverGuarded, takeOverNaive, takeOverEmpty
        case validate, renew, thaw, release

        var hasData: Bool { self != .acquireWithoutData }
        var isAcquisition: Bool { !isUnderLock }
        var isUnderLock: Bool { [.validate, .renew, .thaw, .release].contains(self) }

        func put(_ lock: FilePath) {
            switch self {
            case .takeOverGuarded: Files.write(Peer.record(ageSeconds: 4000, isGuarded: true).encoded(), lock)
            case .takeOverNaive: Files.write(Peer.record(ageSeconds: 4000).encoded(), lock)
            case .takeOverEmpty: Files.write([], lock)
            default: return
            }
            Files.age(lock, seconds: 4000)
        }
    }

    /// One run: an operation of the first process, with a disturbance before one of its calls.
    private final class Run {
        let scene: Scene
        let victim: FilePath
        let first: Simulated
        let second: Simulated
        let secondLock = Box<TestLock?>(nil)
        let disturbedCall = Box<HostScript.Call?>(nil)
        var firstLock: TestLock?
        let operation: Operation
        let disturbance: Disturbance

        init(_ operation: Operation, _ disturbance: Disturbance, _ prepare: (inout HostScript.Settings) -> Void) throws {
            self.operation = operation
            self.disturbance = disturbance
            scene = try Scene(hasData: operation.hasData)
            victim = scene.directory.file("victim")
            Files.write([7], victim)
            first = Simulated(prepare: prepare)
            second = Simulated(prepare: prepare)
            second.becomeImpatient()
            operation.put(scene.lock)
            if operation.isUnderLock { firstLock = try first.acquire(scene.data) }
        }

        /// False where the operation has no such call.
        func go(disturbingAt index: Int) -> Bool {
            let (data, lock, victim) = (scene.data, scene.lock, victim)
            let (second, secondLock, disturbedCall, disturbance) = (second, secondLock, disturbedCall, disturbance)
            first.script.reset()
            if operation == .thaw { first.script.advance(seconds: 25) }
            first.script.intercept { call in
                if call.index == index {
                    disturbedCall.value = call
                    secondLock.value = disturbance.happen(data: data, lock: lock, victim: victim, second: second)
                }
                return nil
            }
            switch operation {
            case .validate: _ = firstLock?.isValid
            case .renew, .thaw: try? firstLock?.renew()
            case .release: try? firstLock?.release()
            default: firstLock = try? first.acquire(data)
            }
            first.script.intercept(nil)
            return disturbedCall.value != nil
        }

        var context: Comment {
            let call = disturbedCall.value
            let name = call?.name?.string ?? ""
            return "\(operation), \(disturbance) at \(call?.index ?? -1) \(call.map { "\($0.kind)" } ?? "") \(name)"
        }

        func expectOneWriterAtMost() {
            let other = secondLock.value
            let firstIsValid = firstLock?.isValid ?? false
            let secondIsValid = other?.isValid ?? false
            #expect(!(firstIsValid && secondIsValid), context)
            #expect(Files.bytes(victim) == [7], context)
            #expect(first.events.losses.count <= 1, "\(first.events.losses) \(context)")
            if disturbance == .lockReplacedByPeer {
                #expect(Files.bytes(scene.lock) == Disturbance.peer, context)
                #expect(!firstIsValid, context)
            }
            if disturbance.putsSomethingElse && operation != .release { #expect(!firstIsValid, context) }
            expectNobodyRobbed()
            // Whoever is valid stays so when the other gives up.
            if firstIsValid {
                try? other?.release()
                let isStillValid = firstLock?.isValid ?? false
                #expect(isStillValid, context)
            } else if secondIsValid {
                try? firstLock?.release()
                let isStillValid = other?.isValid ?? false
                #expect(isStillValid, context)
            }
        }

        /// Where all that happened is that a second process of ours tried, one of the two got the lock, and kept it.
        private func expectNobodyRobbed() {
            guard [.secondAcquires, .secondAcquiresAndReleases].contains(disturbance), takesGuards else { return }
            #expect(first.events.losses.isEmpty && second.events.losses.isEmpty, context)
            if operation == .release { return }
            #expect(firstLock == nil || secondLock.value == nil, context)
            if operation.isUnderLock { #expect(firstLock?.isValid == true, context) }
        }

        private var takesGuards: Bool { first.script.settings.fileSystemType?.guardMeaning != .remote }

        func expectCleanEnd() {
            let context = context
            let (first, second) = (first, second)
            try? firstLock?.release()
            try? secondLock.value?.release()
            firstLock = nil
            secondLock.value = nil
            #expect(first.script.openDescriptors.isEmpty, context)
            #expect(second.script.openDescriptors.isEmpty, context)
            #expect(first.script.wrongCloses.isEmpty && second.script.wrongCloses.isEmpty, context)
            if disturbance == .lockReplacedByPeer { #expect(Files.bytes(scene.lock) == Disturbance.peer, context) }
            #expect(scene.litter.isEmpty, context)
            if disturbance.putsSomethingElse { Files.remove(scene.lock) }
            let refusal = Simulated().acquireError(scene.data)
            #expect(refusal == nil, context)
        }
    }

    @Test(
        "On a local file system, whatever happens at whichever call",
        arguments: Operation.allCases, Disturbance.allCases)
    func local(operation: Operation, disturbance: Disturbance) throws {
        let rungs: [PublishRung] =
            switch operation {
            case .acquire: [.unnamed, .rename, .exclusive]
            case .acquireWithoutData: [.unnamed, .exclusive]
            default: [.unnamed]
            }
        for rung in rungs { try everyCall(operation, disturbance, rung.apply) }
    }

    @Test(
        "Where kernel locks prove less, whatever happens at whichever call",
        arguments: Operation.allCases, Disturbance.allCases.filter(\.concernsOthers))
    func elsewhere(operation: Operation, disturbance: Disturbance) throws {
        for profile in [Profile.layered, .remote] { try everyCall(operation, disturbance, profile.apply) }
    }

    private func everyCall(
        _ operation: Operation, _ disturbance: Disturbance, _ prepare: (inout HostScript.Settings) -> Void
    ) throws {
        for index in 0..<300 {
            let run = try Run(operation, disturbance, prepare)
            guard run.go(disturbingAt: index) else { return }
            run.expectOneWriterAtMost()
            run.expectCleanEnd()
        }
        Issue.record("no end of calls")
    }
}
