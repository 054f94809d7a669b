public import ArgumentParser
public import RVFLock
import SystemPackage

struct LockBreakCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "break",
        abstract: "Remove a lock that nobody will ever release.",
        discussion: """
            Rarely needed: the next writer takes a dead process's lock over by itself. Name the writer that \
            `rvf lock status --json` showed; should another one have come meanwhile, nothing is removed.

            \(Outcome.help)
            """)

    @Argument(help: "The file that the lock protects.")
    var file: FilePath
    @Option(help: ArgumentHelp("The writer id in the lock file.", valueName: "hex"))
    var writerID: WriterID?
    @Flag(help: "The lock file holds no readable record.")
    var malformed = false
    @Flag(help: "Also if the holder is provably alive. It learns of it before its next commit.")
    var force = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if malformed == (writerID != nil) {
            throw ValidationError("Say what to break: either --writer-id <hex> or --malformed.")
        }
    }

    func run() throws(Failure) {
        let target: LockBreak.Target = writerID.map { .writer($0) } ?? .malformed
        let broken: LockBreak
        do throws(LockError) {
            broken = try LockBreak.run(protecting: file, target: target, isForced: force)
        } catch {
            throw Failure(error)
        }
        let whose = broken.holder.map { "of \($0)" } ?? "without a readable record"
        try output.console.say(
            "removed the lock \(whose)" + (broken.wasForced ? ", which was alive" : ""),
            json: .object([
                ("broken", .bool(true)), ("holder", .holder(broken.holder)), ("forced", .bool(broken.wasForced)),
            ]))
    }
}

extension WriterID: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(hexadecimal: argument)
    }
}
