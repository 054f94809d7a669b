import ArgumentParser
import RVFStore
import SystemPackage

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Copy a store's newest commit to a new file, byte for byte.",
        discussion: """
            Takes no lock, and works beside a writer. The copy is complete and durable before its name appears; \
            nothing is replaced. Damage is copied as it is: `rvf verify` finds it.

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The copy, which must not exist.")
    var copy: FilePath
    @OptionGroup var work: WorkArguments
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let interruption = try Interruption()
        let snapshot = try store.snapshot()
        let report = try work.run(output.console, interruption) { (options) throws(StoreError) in
            try snapshot.backup(to: copy, options: options)
        }
        try output.console.say(
            "\(copy): \(report.byteCount) bytes, epoch \(report.epoch)",
            json: .object([
                ("path", .string(copy.string)), ("bytes", .unsigned(report.byteCount)), ("epoch", .epoch(report.epoch)),
            ]))
    }
}
