import RVFHost
import RVFSimulation
import Testing

@Suite("Every order of steps")
struct ExhaustiveTests {
    @Test func `two writers, from every beginning`() {
        for beginning in Scene.Beginning.allCases {
            let scenario = Scenario(
                "two writers from \(beginning)", Scene.state(beginning),
                [LockActors.writer("A"), LockActors.writer("B")])
            let report = Explorer().explore(scenario)
            print(scenario.name, report.runs, report.states, report.steps, report.isComplete)
            #expect(report.isComplete)
            if let finding = report.finding { Issue.record("\(finding.violation)\n\(finding.choices)\n\(finding.story.joined(separator: "\n"))") }
        }
    }
}
