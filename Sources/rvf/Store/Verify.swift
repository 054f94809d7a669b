import ArgumentParser
import RVFStore
import SystemPackage

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check every byte of a store.",
        discussion: """
            Damage is what keeps something that was committed from being read, and makes the exit code 5. Warnings and \
            notes are what is unusual and loses nothing, such as what an interrupted commit left. Of each kind a \
            thousand are listed. Takes no lock, and works beside a writer.

            With --json one object is printed: {"ok":…,"problems":[{"offset":…,"what":"…"}],…}, where the problems are \
            the damage, and "warnings" and "notes" are lists of the same form.

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @OptionGroup var work: WorkArguments
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let interruption = try Interruption()
        let report = try work.run(output.console, interruption) { (options) throws(StoreError) in
            try StoreVerification.run(at: store.file, options: options)
        }
        if report.manifestOffset == nil { try refuseOtherFiles() }
        try output.console.say(text(report), json: json(report))
        guard report.isIntact else { throw damage(report) }
    }

    /// A file that never was a store is not a damaged one: that is said as all commands say it.
    private func refuseOtherFiles() throws(Failure) {
        do throws(Failure) {
            _ = try store.snapshot()
        } catch {
            if error.code == "notAStore" { throw error }
        }
    }

    private func damage(_ report: VerificationReport) -> Failure {
        let places = report.damageCount == 1 ? "in one place" : "in \(report.damageCount) places"
        return Failure(
            .damaged, code: "damaged",
            "\(store.file) is damaged \(places); `rvf repair` writes a new store with all that is intact",
            details: [("offset", .unsigned(report.problems.first { $0.severity == .damage }?.offset ?? 0))])
    }

    private func json(_ report: VerificationReport) -> JSON {
        func list(_ severity: VerificationReport.Severity) -> JSON {
            .array(report.problems.filter { $0.severity == severity }.map(\.json))
        }
        return .object([
            ("ok", .bool(report.isIntact)), ("problems", list(.damage)), ("warnings", list(.warning)),
            ("notes", list(.note)), ("problemCount", .integer(Int64(report.damageCount))),
            ("warningCount", .integer(Int64(report.warningCount))), ("noteCount", .integer(Int64(report.noteCount))),
            ("bytes", .unsigned(report.byteCount)), ("segments", .integer(Int64(report.segmentCount))),
            ("rows", .integer(Int64(report.rowCount))), ("epoch", .epoch(report.epoch)),
        ])
    }

    private func text(_ report: VerificationReport) -> String {
        let place = report.problems.map(\.offset.description.count).max() ?? 0
        var lines = report.problems.map { problem in
            let offset = problem.offset.description
            let padding = String(repeating: " ", count: place - offset.count)
            return "\(problem.severity.padded)  \(padding)\(offset)  \(problem.what)"
        }
        if report.isCut { lines.append("… and more, which are counted and not listed") }
        lines.append(
            "\(store.file): \(report.isIntact ? "intact" : "damaged"); \(report.segmentCount) segments, "
                + "\(counted(report.rowCount, "row")), \(report.byteCount) bytes; \(report.damageCount) × damage, "
                + "\(report.warningCount) × warning, \(report.noteCount) × note")
        return lines.joined(separator: "\n")
    }
}

extension VerificationReport.Problem {
    /// Without its severity, which the name of the list says.
    var json: JSON { .object([("offset", .unsigned(offset)), ("what", .string(what))]) }
}

extension VerificationReport.Severity {
    fileprivate var padded: String {
        rawValue + String(repeating: " ", count: Self.warning.rawValue.count - rawValue.count)
    }
}

extension JSON {
    /// Null where no commit could be believed.
    static func epoch(_ epoch: UInt32?) -> JSON { epoch.map { .unsigned(UInt64($0)) } ?? .null }
}
