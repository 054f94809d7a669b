import RVFLock
import SystemPackage

/// Drives an implementation of the writer lock through all scenarios.
package enum LockKit {
    /// The names of all scenarios, in their order.
    package static var names: [String] { [LockScenario.introductionName] + LockScenario.all.map(\.name) }

    /// - Parameters:
    ///   - names: of the scenarios to run, besides the introduction.
    ///   - tell: is given each result as soon as it is there.
    /// - Returns: what there is to tell; cut short where the whole was cancelled.
    package static func run(
        _ options: LockKitOptions, names: [String], tell: (ScenarioResult) -> Void
    ) -> ConformanceReport {
        var report = ConformanceReport(title: "rvf.lock")
        func add(_ result: ScenarioResult) {
            report.results.append(result)
            tell(result)
        }
        var introduction: Introduction?
        let first = outcome(LockScenario.introductionName, "the lock can be had, and given back", options) {
            () throws(ScenarioEnd) in
            introduction = try introduce(try LockBench(options, Introduction(hostName: [], isGuarded: false)))
            return ""
        }
        guard let first else { return report }
        add(first)
        for scenario in LockScenario.all where names.contains(scenario.name) {
            let result = outcome(scenario.name, scenario.summary, options) { () throws(ScenarioEnd) in
                guard let introduction else { throw .notApplicable("the introduction failed") }
                return try scenario.run(try LockBench(options, introduction))
            }
            guard let result else { break }
            add(result)
        }
        return report
    }

    /// Nil where the whole was cancelled.
    private static func outcome(
        _ name: String, _ summary: String, _ options: LockKitOptions, _ body: () throws(ScenarioEnd) -> String
    ) -> ScenarioResult? {
        let start = ContinuousClock.now
        let verdict: Verdict
        do throws(ScenarioEnd) {
            verdict = .pass(try body())
        } catch {
            switch error {
            case .failed(let evidence): verdict = .fail(evidence)
            case .notApplicable(let reason): verdict = .notApplicable(reason)
            case .cancelled: return nil
            }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return ScenarioResult(name: name, summary: summary, verdict: verdict, seconds: seconds)
    }

    /// What the implementation's records look like here.
    private static func introduce(_ bench: LockBench) throws(ScenarioEnd) -> Introduction {
        let peer = try bench.start()
        try bench.acquire(peer)
        guard let record = LockRecordReading(bench.lockBytes ?? []).record else {
            throw .failed("there is no record in the lock file: " + bench.lockText)
        }
        try bench.release(peer)
        return Introduction(hostName: record.hostName, isGuarded: record.isGuarded)
    }
}
