import RVFSimulation

/// Runs the proof's long setting and prints its figures; `scripts/prove` calls it.
@main
enum Prove {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        let setting: LockScenarios.Setting = arguments.contains("--short") ? .short : .long
        var failures = 0
        let only = arguments.first { !$0.hasPrefix("-") }
        for scenario in LockScenarios.exhaustive(setting) where only.map(scenario.name.contains) ?? true {
            let clock = ContinuousClock()
            let start = clock.now
            let report = Explorer().explore(scenario, runLimit: setting == .short ? 20_000 : .max)
            let seconds = (clock.now - start).components.seconds
            print("\(scenario.name): \(report.runs) runs, \(report.states) states, \(seconds) s\(report.isComplete ? "" : ", not complete")")
            if let finding = report.finding {
                failures += 1
                print("VIOLATION: \(finding.violation)\nchoices \(finding.choices)")
                for line in finding.story.suffix(60) { print("    " + line) }
            }
        }
        for defect in Defect.allCases where only.map(defect.rawValue.contains) ?? true {
            let report = Explorer().search(LockScenarios.revealing(defect), runLimit: 10_000, seeds: 1..<20_000)
            print("\(defect): \(report.finding?.violation ?? "NOT FOUND") after \(report.runs) runs, \(report.states) states")
            if report.finding == nil { failures += 1 }
        }
        print(failures)
    }
}
