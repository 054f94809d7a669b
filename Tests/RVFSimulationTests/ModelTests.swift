import RVFSimulation
import Testing

/// The steps that the code takes are those of the model in `spec/model`. `spec/model/steps` checks that the table which is
/// used here is the model's, and `spec/model/replay` that whole runs can be taken in the model.
@Suite("The model's steps and the code's")
struct ModelTests {
    @Test("every way on that the rules name is one of the model's, and what they leave out is known")
    func rules() {
        #expect(ModelMatch.unknownExits.isEmpty, "the model has no such way on")
        #expect(ModelMatch.unusedEdges == ModelMatch.notTakenByTheCode.keys.sorted())
    }

    @Test("the code takes every step of the model")
    func coverage() async {
        let coverage = await aside {
            var coverage = StepCoverage()
            for scenario in LockScenarios.coveringTheModel {
                let explored = Explorer().explore(scenario, runLimit: 60)
                let wandered = Explorer().wander(scenario, seeds: 1..<40)
                explored.expectNothingFound(in: scenario)
                wandered.expectNothingFound(in: scenario)
                coverage.merge(explored.coverage)
                coverage.merge(wandered.coverage)
            }
            return coverage
        }
        #expect(coverage.missingLabels.isEmpty)
        // Ways from step to step that few orders lead to take longer than a test.
        print("ways of the model that were not taken: \(coverage.missingEdges)")
    }

    /// Nothing else is looked at here: what the defect leads to does not count.
    @Test(
        "each defect is a step that the model does not have",
        arguments: Defect.allCases.filter { LockScenarios.revealing($0).followsModel })
    func defects(_ defect: Defect) async throws {
        var scenario = LockScenarios.revealing(defect)
        scenario.invariants = []
        scenario.endsWell = .unasked
        let bare = scenario
        let finding = try #require(
            await aside { Explorer().search(bare, runLimit: 3_000, seeds: 1..<10_000) }.finding)
        #expect(finding.violation.hasPrefix("the model has no such step"), "\(finding.violation)")
    }

    @Test("a model without one of its steps does not fit the code", arguments: ModelMatch.indispensableLabels)
    func withoutAStep(_ label: String) async {
        #expect(await aside { ModelMatch.violation(withoutStep: label) } != nil)
    }

    @Test("runs are recorded for the model to take again, and no two of one world are the same")
    func recordings() async {
        let recordings = await aside {
            LockScenarios.recorded.map { Explorer().record($0, seeds: 1..<20, count: 3) }
        }
        #expect(recordings.allSatisfy { !$0.isEmpty })
        for texts in recordings { #expect(Set(texts).count == texts.count) }
    }
}
