import RVFHost
import RVFSimulation
import Testing

/// The lock's code, as it ships, in every order of its steps. `scripts/prove` runs the same without the limit.
@Suite("Every order of steps")
struct ExhaustiveTests {
    /// About a quarter of an hour's worth of runs is left to `scripts/prove`.
    private static let runLimit = 4_000

    @Test("no order of steps, no kill and no accident breaks a promise", arguments: LockScenarios.exhaustive(.short))
    func promises(_ scenario: Scenario) {
        let report = Explorer().explore(scenario, runLimit: Self.runLimit)
        #expect(report.runs > 1)
        report.expectNothingFound(in: scenario)
    }

    @Test("random runs with everything at once break no promise", arguments: LockScenarios.random)
    func randomRuns(_ scenario: Scenario) {
        Explorer().wander(scenario, seeds: 1..<200).expectNothingFound(in: scenario)
    }
}

extension Explorer.Report {
    func expectNothingFound(in scenario: Scenario) {
        guard let finding else { return }
        let story = finding.story.joined(separator: "\n")
        Issue.record("\(scenario.name): \(finding.violation)\nchoices: \(finding.choices)\n\(story)")
    }
}
