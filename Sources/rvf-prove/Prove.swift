import Foundation
import RVFSimulation
import Synchronization

/// Runs the proof of the lock and of the store on the simulated system and prints its figures; `scripts/prove` calls it.
///
/// `rvf-prove [--short | --schedules COUNT] [WORD]`: with a word, only what has it in its name; with a count, no more
/// schedules of any world than that, and the short setting of the power cuts.
/// `rvf-prove --recordings COUNT`: runs in the model's words, for `spec/model/replay`.
@main
enum Prove {
    struct Line: Sendable {
        var name: String
        var outcome: Outcome
        var seconds: Double
        /// Whether a violation is what is looked for: a defect that was put in, or a limit that is known.
        var isDefect: Bool

        var isRight: Bool { (outcome.violation != nil) == isDefect }

        var text: String {
            let result =
                if let violation = outcome.violation {
                    "\(isDefect ? "found" : "VIOLATED"): \(violation)"
                } else if isDefect {
                    "NOT FOUND"
                } else {
                    outcome.isComplete ? "holds, searched to the end" : "holds"
                }
            return "| \(name) | \(outcome.runs) | \(outcome.states) | \(Int(seconds.rounded())) | \(result) |"
        }
    }

    struct Task: Sendable {
        var name: String
        var isDefect = false
        var run: @Sendable () -> Outcome
    }

    /// What is asked for.
    private struct Order {
        var isShort = false
        var mostSchedules: Int?
        var word: String?

        /// Nil for what nobody can mean.
        init?(_ arguments: ArraySlice<String>) {
            var rest = arguments
            while let argument = rest.popFirst() {
                switch argument {
                case "--short": isShort = true
                case "--schedules":
                    guard let count = rest.popFirst().flatMap({ Int($0) }), count > 0 else { return nil }
                    mostSchedules = count
                default:
                    if argument.hasPrefix("-") || word != nil { return nil }
                    word = argument
                }
            }
        }
    }

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "--recordings" { return printRecordings(Int(arguments.last ?? "") ?? 300) }
        guard let order = Order(arguments) else {
            say("rvf-prove [--short | --schedules COUNT] [WORD], or rvf-prove --recordings COUNT")
            exit(2)
        }
        let (isShort, limit, word) = (order.isShort, order.mostSchedules, order.word)
        let cuts = PowerCutTasks(isShort: isShort || limit != nil)
        let tasks = (tasks(isShort: isShort, most: limit) + cuts.all).filter { task in word.map(task.name.contains) ?? true }
        if tasks.isEmpty {
            say("Nothing has \"\(word ?? "")\" in its name.")
            exit(2)
        }
        say("| what | schedules, images | states, reopenings | s | |\n|---|---|---|---|---|")
        let start = ContinuousClock.now
        let lines = runAll(tasks)
        let minutes = (ContinuousClock.now - start) / .seconds(60)
        let right = lines.filter { !$0.isDefect && !$0.name.hasPrefix(PowerCutTasks.prefix) }
        say("")
        say(
            "\(right.reduce(0) { $0 + $1.outcome.runs }) schedules, \(right.reduce(0) { $0 + $1.outcome.states }) states, "
                + "\(right.reduce(0) { $0 + $1.outcome.steps }) steps in \(Int(minutes.rounded(.up))) min; "
                + "\(lines.count { $0.isDefect && $0.isRight }) of \(lines.count(where: \.isDefect)) defects and limits found")
        say(cuts.total)
        if word == nil { say(modelSummary(right)) }
        for line in lines where !line.isRight { tell(line) }
        exit(lines.allSatisfy(\.isRight) ? 0 : 1)
    }

    private static func modelSummary(_ lines: [Line]) -> String {
        let coverage = lines.reduce(into: StepCoverage()) { $0.merge($1.outcome.coverage) }
        let missing = coverage.missingEdges
        return "\(coverage.walks) processes followed through \(coverage.steps) steps of the model; of its ways from one step to the "
            + "next \(coverage.edgeCount - missing.count) of \(coverage.edgeCount) were taken"
            + (missing.isEmpty ? "" : ", and not " + missing.joined(separator: ", "))
    }

    /// How many schedules of one scenario the short setting runs, and how many random ones either runs of each.
    private static func tasks(isShort: Bool, most: Int?) -> [Task] {
        let limit = most ?? (isShort ? 15_000 : Int.max)
        // A random run takes ten times as long as one that is abandoned where it comes to a known state.
        let seeds: UInt64 = most.map { UInt64(max(2, $0 / 10)) } ?? (isShort ? 1_500 : 200_000)
        let setting: LockScenarios.Setting = isShort ? .short : .long
        return (LockScenarios.exhaustive(setting) + StoreScenarios.all).map { scenario in
            Task(name: scenario.name) { Outcome(Explorer().explore(scenario, runLimit: limit)) }
        } + (LockScenarios.random + StoreScenarios.random).map { scenario in
            Task(name: "at random: \(scenario.name)") { Outcome(Explorer().wander(scenario, seeds: 1..<seeds)) }
        } + LockScenarios.limits.map { scenario in
            Task(name: scenario.name, isDefect: true) {
                Outcome(Explorer().search(scenario, runLimit: 10_000, seeds: 1..<20_000))
            }
        } + Defect.allCases.map { defect in
            Task(name: "defect: \(defect)", isDefect: true) {
                Outcome(Explorer().search(LockScenarios.revealing(defect), runLimit: 10_000, seeds: 1..<20_000))
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
                    let outcome = tasks[index].run()
                    let line = Line(
                        name: tasks[index].name, outcome: outcome, seconds: (ContinuousClock.now - start) / .seconds(1),
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
        guard let violation = line.outcome.violation else { return say("no violation was found, and there is one") }
        say(violation)
        for step in line.outcome.story { say(step) }
    }

    private static func say(_ text: String) {
        // Line by line also where the output is a file: a long run is watched.
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }
}
