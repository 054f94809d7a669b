import RVFSimulation

/// What a search came to, in the terms of the table.
struct Outcome: Sendable {
    /// Schedules, or images.
    var runs: Int
    /// States, or reopenings.
    var states: Int
    var steps = 0
    /// What of the model was walked through.
    var coverage = StepCoverage()
    var isComplete = false
    var violation: String?
    var story: [String] = []

    init(_ report: Explorer.Report) {
        runs = report.runs
        states = report.states
        steps = report.steps
        coverage = report.coverage
        isComplete = report.isComplete
        violation = report.finding?.violation
        if let finding = report.finding { story = ["choices: \(finding.choices)"] + finding.story.map { "    \($0)" } }
    }

    init(_ report: PowerCuts.Report) {
        runs = report.imageCount
        states = report.reopeningCount
        violation = report.finding?.violation
        story = report.finding?.story ?? []
    }
}
