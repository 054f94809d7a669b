import RVFSimulation
import Testing

/// The store's code, as it ships, after a power cut at every step. `scripts/prove` makes many more.
@Suite("Power cuts")
struct PowerCutTests {
    private static var setting: PowerCuts.Setting {
        var setting = PowerCuts.Setting()
        setting.cuts.exhaustiveLimit = 5
        setting.cuts.sampleCount = 4
        setting.cuts.tearCount = 1
        setting.cuts.tornSubsetLimit = 0
        setting.laterCuts = setting.cuts
        setting.laterCuts.sampleCount = 1
        setting.firstCounts = [1, 1]
        return setting
    }

    @Test(
        "whatever a power cut leaves is a committed state, none that was acknowledged is lost, and the next writer goes on",
        arguments: StoreHistory.all(seed: 1))
    func histories(_ history: StoreHistory) async {
        var setting = Self.setting
        // No multiple of the steps of a commit.
        setting.momentStride = 5
        let report = await aside { [setting] in PowerCuts.explore(history, seed: 1, setting: setting) }
        #expect(report.imageCount > 10 && report.laterImageCount > 0)
        if history.name.contains("compaction") { #expect(report.replacementCount > 0) }
        guard let finding = report.finding else { return }
        Issue.record("\(finding.violation)\n\(finding.story.joined(separator: "\n"))")
    }

    @Test("a disk or a system with a defect is found out", arguments: DiskDefect.allCases)
    func defects(_ defect: DiskDefect) async throws {
        let report = await aside { PowerCuts.search(for: defect, setting: Self.setting) }
        let finding = try #require(report.finding)
        // Found in what a cut left, not by the history itself.
        #expect(finding.story.contains { $0.hasPrefix("up to step") })
    }
}
