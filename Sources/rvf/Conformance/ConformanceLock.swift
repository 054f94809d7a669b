import ArgumentParser
import RVFConformance
import SystemPackage

struct ConformanceLock: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Test an implementation of the writer lock, in any language.",
        discussion: """
            Starts COMMAND, as many copies as a scenario needs, and sends each requests as lines on its standard input: \
            acquire PATH, release, validate, status PATH, exit. Each is answered by a line. See spec/conformance.md.

            Prints a line for each scenario: pass, fail with what was seen, or not applicable with the reason. With \
            --json a line is {"name":…,"verdict":…,"details":…,"seconds":…}, and the last one has the numbers. Exits \
            with 1 if any failed.

            `rvf conformance lock -- rvf conformance speak` tests this program itself.

            \(Outcome.help)
            """)

    @Flag(help: "List the scenarios, and run none.")
    var list = false
    @Option(help: "Run this scenario only; may be given more than once.")
    var only: [String] = []
    @Option(help: "Leave this scenario out; may be given more than once.")
    var skip: [String] = []
    @Option(help: ArgumentHelp("Write the results there, too, as JUnit XML.", valueName: "file"))
    var junit: FilePath?
    @Option(help: ArgumentHelp("Work in a new directory in this one; its file system is what is tested.", valueName: "directory"))
    var directory: FilePath?
    @Option(help: ArgumentHelp("How long each scenario of contention takes; 5 s if not given.", valueName: "seconds"))
    var contention: Seconds?
    @Option(help: ArgumentHelp("How long an answer may take; 10 s if not given.", valueName: "seconds"))
    var limit: Seconds?
    @OptionGroup var output: OutputOptions
    @Argument(parsing: .postTerminator, help: "The program that speaks the lines, with its arguments, behind `--`.")
    var command: [String] = []

    func validate() throws {
        if command.isEmpty && !list { throw ValidationError("Say what to test: rvf conformance lock -- COMMAND …") }
        for name in only + skip where !LockKit.names.contains(name) {
            throw ValidationError("There is no scenario “\(name)”; --list lists them.")
        }
    }

    func run() throws(Failure) {
        if list { return try output.console.say(LockKit.names.joined(separator: "\n"), json: .strings(LockKit.names)) }
        let interruption = try Interruption()
        let own = [Process.ownPath.string, "conformance", "speak"]
        var options = LockKitOptions(command: command, ownCommand: own, directory: directory ?? Process.temporaryDirectory)
        if let contention { options.contention = contention.duration }
        if let limit { options.answerLimit = limit.duration }
        options.isCancelled = { interruption.isRequested }
        let names = LockKit.names.filter { (only.isEmpty || only.contains($0)) && !skip.contains($0) }
        var failure: Failure?
        let report = LockKit.run(options, names: names) { result in
            do throws(Failure) {
                try output.console.say(result.row, json: result.json)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        if interruption.isRequested { throw .interrupted }
        try report.finish(junit, output.console)
    }
}

extension ScenarioResult {
    var json: JSON {
        .object([
            ("name", .string(name)), ("verdict", .string(verdict.word)), ("summary", .string(summary)),
            ("details", .string(verdict.details)), ("seconds", .double(seconds)),
        ])
    }
}

extension JSON {
    static func strings(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }
}

extension ConformanceReport {
    var json: JSON {
        .object([
            ("passed", .integer(Int64(passCount))), ("failed", .integer(Int64(failCount))),
            ("notApplicable", .integer(Int64(notApplicableCount))),
        ])
    }

    /// Says the numbers, writes the file, and fails if something failed.
    func finish(_ junitFile: FilePath?, _ console: Console) throws(Failure) {
        try console.say(summary, json: json)
        try writeJUnit(to: junitFile)
        if failCount > 0 {
            throw Failure(.failed, code: "nonconforming", "\(failCount) of \(results.count) failed")
        }
    }

    func writeJUnit(to path: FilePath?) throws(Failure) {
        guard let path else { return }
        do {
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            defer { try? file.close() }
            _ = try file.writeAll(Array(junit.utf8))
        } catch {
            throw Failure(.failed, code: "system", "writing \(path) failed: \(error)")
        }
    }
}
