import ArgumentParser
import RVFConformance
import RVFStore
import SystemPackage

struct ConformanceStore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Check files that a writer of stores made against the format, rule by rule.",
        discussion: """
            An error is against the format, or out of some reader's reach; advice is what readers bear with; damage is \
            what `rvf verify` calls so. Of each rule a hundred findings are listed. Takes no lock.

            With --json one object is printed for each file: {"file":…,"ok":…,"findings":[{"grade":…,"offset":…, \
            "rule":…,"what":…}],"advice":…,"errors":…,"damage":…}. Exits with 1 if there are errors, with 5 if there is \
            damage.

            \(Outcome.help)
            """)

    @Argument(help: "The stores.")
    var files: [FilePath]
    @Option(help: ArgumentHelp("Write the results there, too, as JUnit XML: a test for each file and rule.", valueName: "file"))
    var junit: FilePath?
    @OptionGroup var work: WorkArguments
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let interruption = try Interruption()
        var report = ConformanceReport(title: "rvf.store")
        var (errorCount, damageCount) = (0, 0)
        for file in files {
            let findings = try work.run(output.console, interruption) { (options) throws(StoreError) in
                try StoreConformance.run(at: file, options: options)
            }
            try output.console.say(findings.text(of: file), json: findings.json(of: file))
            report.results += findings.results(of: file.string)
            errorCount += findings.errorCount
            damageCount += findings.damageCount
        }
        try report.writeJUnit(to: junit)
        if damageCount > 0 { throw Failure(.damaged, code: "damaged", "damage in \(damageCount) places") }
        if errorCount > 0 { throw Failure(.failed, code: "nonconforming", "\(errorCount) × against the format") }
    }
}

extension StoreFindings {
    fileprivate func text(of file: FilePath) -> String {
        let width = listed.map(\.offset.description.count).max() ?? 0
        var lines = listed.map { finding in
            let place = finding.offset.description
            let grade = finding.grade.rawValue + String(repeating: " ", count: 6 - finding.grade.rawValue.count)
            return "\(grade)  \(String(repeating: " ", count: width - place.count))\(place)  \(finding.rule.rawValue): "
                + finding.what
        }
        if listed.count < adviceCount + errorCount + damageCount {
            lines.append("… and more, which are counted and not listed")
        }
        lines.append(
            "\(file): \(isConforming ? "as the format has it" : "not as the format has it"); \(damageCount) × damage, "
                + "\(errorCount) × error, \(adviceCount) × advice")
        return lines.joined(separator: "\n")
    }

    fileprivate func json(of file: FilePath) -> JSON {
        .object([
            ("file", .string(file.string)), ("ok", .bool(isConforming)),
            ("findings", .array(listed.map(\.json))), ("advice", .integer(Int64(adviceCount))),
            ("errors", .integer(Int64(errorCount))), ("damage", .integer(Int64(damageCount))),
        ])
    }
}

extension StoreFinding {
    fileprivate var json: JSON {
        .object([
            ("grade", .string(grade.rawValue)), ("offset", .unsigned(offset)), ("rule", .string(rule.rawValue)),
            ("what", .string(what)),
        ])
    }
}
