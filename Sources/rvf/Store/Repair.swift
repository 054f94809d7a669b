import ArgumentParser
import RVFStore
import SystemPackage

struct Repair: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a new store with all that is intact of a damaged one.",
        discussion: """
            The damaged file is only read, and the new one must not exist. What could not be saved is listed; saving \
            the rest is success all the same. Where the newest row of an id is lost, an older one that is intact comes \
            back. Takes no lock: see that nobody writes to the store meanwhile.

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @Option(name: .shortAndLong, help: ArgumentHelp("Where to write the new store.", valueName: "out"))
    var output: FilePath
    @Flag(
        help: """
            Also save whole rows that stand behind the newest commit that can be believed: those of commits whose end \
            is lost, but also of commits that never succeeded.
            """)
    var includeUnnamed = false
    @Option(name: .shortAndLong, help: "The metric, if no commit is left that says it.")
    var metric: MetricName = .l2
    @OptionGroup var work: WorkArguments
    @OptionGroup var form: OutputOptions

    func run() throws(Failure) {
        let interruption = try Interruption()
        var options = RepairOptions()
        options.includesUnnamedRows = includeUnnamed
        options.metric = metric.metric
        let report = try work.run(form.console, interruption) { (work) throws(StoreError) in
            options.work = work
            return try StoreRepair.run(from: store.file, to: output, options: options)
        }
        try form.console.say(text(report), json: json(report))
    }

    private func text(_ report: RepairReport) -> String {
        var lines = report.losses.map { "lost  at byte \($0.offset): \($0.what)" }
        if report.losses.count < report.lossCount { lines.append("… and more, which are counted and not listed") }
        let commit = report.epoch.map { "the commit of epoch \($0)" } ?? "no commit, since none could be believed"
        lines.append(
            "\(output): \(counted(report.rowCount, "row")) and \(counted(report.carriedSegmentCount, "segment")) of other "
                + "programs, by \(commit); "
                + (report.lossCount == 0 ? "nothing was lost" : "\(report.lossCount) × lost"))
        return lines.joined(separator: "\n")
    }

    private func json(_ report: RepairReport) -> JSON {
        .object([
            ("path", .string(output.string)), ("rows", .integer(Int64(report.rowCount))),
            ("carried", .integer(Int64(report.carriedSegmentCount))), ("fromEpoch", .epoch(report.epoch)),
            ("losses", .array(report.losses.map(\.json))), ("lossCount", .integer(Int64(report.lossCount))),
        ])
    }
}
