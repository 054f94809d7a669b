import Foundation
import RVFHost
import RVFSimulation
import Testing

/// The lock's code, as it ships, in every order of its steps. `scripts/prove` runs the same without the limit.
@Suite("Every order of steps")
struct ExhaustiveTests {
    /// The rest is left to `scripts/prove`, which runs a build for speed.
    private static let runLimit = 60

    @Test("no order of steps, no kill and no accident breaks a promise", arguments: LockScenarios.exhaustive(.short))
    func promises(_ scenario: Scenario) async {
        let report = await aside { Explorer().explore(scenario, runLimit: Self.runLimit) }
        #expect(report.runs > 1)
        report.expectNothingFound(in: scenario)
    }

    @Test("writers, compactions and readers of a store lose nothing that was acknowledged", arguments: StoreScenarios.all)
    func stores(_ scenario: Scenario) async {
        await aside { Explorer().explore(scenario, runLimit: Self.runLimit) }.expectNothingFound(in: scenario)
    }

    @Test("random runs with everything at once break no promise", arguments: LockScenarios.random + StoreScenarios.random)
    func randomRuns(_ scenario: Scenario) async {
        await aside { Explorer().wander(scenario, seeds: 1..<30) }.expectNothingFound(in: scenario)
    }
}

/// Does long work on threads of its own, two at a time: the few threads of the tests are for tests that wait, and hundreds
/// of searches at once would only be in each other's way.
func aside<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        longWork.addOperation { continuation.resume(returning: work()) }
    }
}

private let longWork: OperationQueue = {
    let queue = OperationQueue()
    queue.maxConcurrentOperationCount = 2
    return queue
}()

extension Explorer.Report {
    func expectNothingFound(in scenario: Scenario) {
        guard let finding else { return }
        let story = finding.story.joined(separator: "\n")
        Issue.record("\(scenario.name): \(finding.violation)\nchoices: \(finding.choices)\n\(story)")
    }
}
