import RVFHost
import RVFSimulation
import Testing

/// A proof that cannot fail proves nothing: each of these defects has to be found.
@Suite("Defects that the explorer has to find")
struct DefectTests {
    @Test("a protocol with a defect is found out, and its story can be played again", arguments: Defect.allCases)
    func isFound(_ defect: Defect) async throws {
        let scenario = LockScenarios.revealing(defect)
        let finding = try #require(
            await aside { Explorer().search(scenario, runLimit: 3_000, seeds: 1..<10_000) }.finding)
        #expect(finding.story.last?.hasPrefix("!! ") == true)
        let again = await aside { Explorer().replay(finding.scenario, choices: finding.choices) }
        #expect(again.violation != nil)
        #expect(again.story == finding.story)
    }

    @Test("what cannot be promised is found not to hold, and its story can be told", arguments: LockScenarios.limits)
    func limits(_ scenario: Scenario) async throws {
        let finding = try #require(
            await aside { Explorer().search(scenario, runLimit: 3_000, seeds: 1..<10_000) }.finding)
        #expect(finding.story.last?.hasPrefix("!! ") == true)
    }

    @Test("two naive peers alone are found to be two holders at once")
    func naivePeers() async {
        let scenario = Scenario(
            "two peers", Scene.state(.oldPeer, hasPrivateNaps: false),
            [LockActors.peer("one"), LockActors.peer("other")], endsWell: .unasked)
        #expect(await aside { Explorer().explore(scenario, runLimit: 20_000) }.finding != nil)
    }

    @Test("a random run that fails is shortened to a story of few turns")
    func shortening() async throws {
        let scenario = LockScenarios.revealing(.noGuardOnLockFile)
        let finding = try #require(await aside { Explorer().wander(scenario, seeds: 1..<2000) }.finding)
        let turns = zip(finding.story, finding.story.dropFirst()).count { $0.prefix(2) != $1.prefix(2) }
        #expect(turns < 12, "\(finding.story.joined(separator: "\n"))")
    }
}
