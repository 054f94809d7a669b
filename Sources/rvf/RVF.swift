import ArgumentParser
import SystemPackage

struct RVF: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rvf",
        abstract: "Vector stores in RVF files, and the lock that keeps their writers apart.",
        discussion: """
            One process at a time may write to a store; any number read it meanwhile. The lock is the file \
            <file>.lock beside it, which every implementation of the format understands.

              rvf create data.rvf -d 3 -m cosine
              echo '[{"id": 17, "vector": [0.1, 0.2, 0.3], "metadata": {"language": "en"}}]' |
                rvf ingest data.rvf -i -
              rvf query data.rvf -v "0.1 0.2 0.4" -k 10 --where "language = 'en'"

            With --json, results are lines of JSON on standard output, and errors are lines of JSON on standard \
            error: {"error":{"code":…,"message":…}}.

            \(Outcome.help)
            """,
        version: "0.1.0",
        subcommands: [
            Create.self, Ingest.self, Delete.self, Get.self, IDs.self, Query.self, Status.self, Inspect.self, Verify.self,
            Compact.self, Backup.self, Derive.self, Repair.self, CheckpointGroup.self, LockGroup.self,
            ConformanceGroup.self,
        ])
}

struct LockGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Look at, hold, await, break or take over the writer lock of a file.",
        discussion: Outcome.help,
        subcommands: [LockStatusCommand.self, LockHold.self, LockWaitCommand.self, LockBreakCommand.self, LockAdopt.self])
}

/// The command, for an executable that does nothing else.
package enum CommandLineTool {
    package static func main() {
        Process.occupyStandardStreams()
        Process.ignoreBrokenPipes()
        Process.exit(run(Array(CommandLine.arguments.dropFirst())))
    }

    private static func run(_ arguments: [String]) -> Outcome {
        // What cannot be parsed is reported too, in the form that was asked for.
        let console = Console(isJSON: arguments.contains("--json"))
        do {
            var command = try RVF.parseAsRoot(arguments)
            try command.run()
            return .done
        } catch let failure as Failure {
            console.report(failure)
            return failure.outcome
        } catch {
            return conclude(error, console)
        }
    }

    /// Help and version are no errors; everything else that the parser throws is a mistake in the arguments.
    private static func conclude(_ error: any Error, _ console: Console) -> Outcome {
        if RVF.exitCode(for: error).isSuccess {
            do throws(Failure) {
                try Console.write(RVF.fullMessage(for: error) + "\n", to: .standardOutput)
                return .done
            } catch {
                return error.outcome
            }
        }
        if console.isJSON {
            console.report(.usage(RVF.message(for: error)))
        } else {
            let text = RVF.fullMessage(for: error)
            let prefix = "Error: "
            let plain = text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text
            try? Console.write("rvf: \(plain)\n", to: .standardError)
        }
        return .usage
    }
}
