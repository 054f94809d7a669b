import Foundation
import RVFSimulation
import Synchronization

/// Runs the proof of the lock on the simulated system and prints its figures; `scripts/prove` calls it.
///
/// `rvf-prove [--short] [WORD]`: with a word, only what has it in its name.
/// `rvf-prove --recordings COUNT`: runs in the model's words, for `spec/model/replay`.
@main
enum Prove {
    struct Line: Sendable {
        var name: String
        var report: Explorer.Report
        var seconds: Double
        /// Whether a violation is what is looked for.
        var isDefect: Bool

        var isRight: Bool { (report.finding != nil) == isDefect }

        var text: String {
            let outcome =
                if let finding = report.finding {
                    "\(isDefect ? "found" : "VIOLATED"): \(finding.violation)"
                } else if isDefect {
                    "NOT FOUND"
                } else {
                    report.isComplete ? "holds, searched to the end" : "holds"
                }
            return "| \(name) | \(report.runs) | \(report.states) | \(Int(seconds.rounded())) | \(outcome) |"
        }
    }

    struct Task: Sendable {
        var name: String
        var isDefect = false
        var run: @Sendable () -> Explorer.Report
    }

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "--recordings" { return printRecordings(Int(arguments.last ?? "") ?? 300) }
        let isShort = arguments.contains("--short")
        let word = arguments.first { !$0.hasPrefix("-") }
        let tasks = tasks(isShort: isShort).filter { task in word.map(task.name.contains) ?? true }
        say("| what | schedules | states | s | |\n|---|---|---|---|---|")
        let start = ContinuousClock.now
        let lines = runAll(tasks)
        let minutes = (ContinuousClock.now - start) / .seconds(60)
        let right = lines.filter { !$0.isDefect }
        say("")
        say(
            "\(right.reduce(0) { $0 + $1.report.runs }) schedules, \(right.reduce(0) { $0 + $1.report.states }) states, "
                + "\(right.reduce(0) { $0 + $1.report.steps }) steps in \(Int(minutes.rounded(.up))) min; "
                + "\(lines.count { $0.isDefect && $0.isRight }) of \(lines.count(where: \.isDefect)) defects found")
        for line in lines where !line.isRight { tell(line) }
        exit(lines.allSatisfy(\.isRight) ? 0 : 1)
    }

    /// How many schedules of one scenario the short setting runs, and how many random ones either runs of each.
    private static func tasks(isShort: Bool) -> [Task] {
        let limit = isShort ? 15_000 : Int.max
        let seeds: UInt64 = isShort ? 1_500 : 200_000
        let setting: LockScenarios.Setting = isShort ? .short : .long
        return (LockScenarios.exhaustive(setting) + StoreScenarios.all).map { scenario in
            Task(name: scenario.name) { Explorer().explore(scenario, runLimit: limit) }
        } + LockScenarios.random.map { scenario in
            Task(name: "at random: \(scenario.name)") { Explorer().wander(scenario, seeds: 1..<seeds) }
        } + Defect.allCases.map { defect in
            Task(name: "defect: \(defect)", isDefect: true) {
                Explorer().search(LockScenarios.revealing(defect), runLimit: 10_000, seeds: 1..<20_000)
            }
        }
    }

    /// As many at a time as there are processors.
    private static func runAll(_ tasks: [Task]) -> [Line] {
        let next = Atomic(0)
        let lines = Mutex<[Line]>([])
        let group = DispatchGroup()
        for _ in 0..<max(1, ProcessInfo.processInfo.activeProcessorCount) {
            group.enter()
            Thread {
                while true {
                    let index = next.add(1, ordering: .relaxed).oldValue
                    guard index < tasks.count else { break }
                    let start = ContinuousClock.now
                    let report = tasks[index].run()
                    let line = Line(
                        name: tasks[index].name, report: report, seconds: (ContinuousClock.now - start) / .seconds(1),
                        isDefect: tasks[index].isDefect)
                    lines.withLock { $0.append(line) }
                    say(line.text)
                }
                group.leave()
            }.start()
        }
        group.wait()
        return lines.withLock { $0 }
    }

    /// About as many runs of each world, by the same seeds every time.
    private static func printRecordings(_ count: Int) {
        let scenarios = LockScenarios.recorded
        let each = (count + scenarios.count - 1) / scenarios.count
        for scenario in scenarios {
            for text in Explorer().record(scenario, seeds: 1..<UInt64(4 * each), count: each) { say(text) }
        }
    }

    private static func tell(_ line: Line) {
        say("\n\(line.name):")
        guard let finding = line.report.finding else { return say("no violation was found, and there is one") }
        say(finding.violation)
        say("choices: \(finding.choices)")
        for step in finding.story { say("    \(step)") }
    }

    private static func say(_ text: String) {
        // Line by line also where the output is a file: a long run is watched.
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }
}
