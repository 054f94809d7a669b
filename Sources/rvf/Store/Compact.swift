import ArgumentParser
import RVFStore
import SystemPackage

struct Compact: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a store anew without what is deleted, replaced or superseded.",
        discussion: """
            The new file takes the old one's place once it is complete and durable. SIGINT, SIGTERM and SIGHUP end it \
            before that and leave the old file as it was. Readers keep the file that they have open. What other \
            programs put into the store is carried over. There has to be room for a second file beside the first.

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @OptionGroup var waiting: WaitOption
    @OptionGroup var work: WorkArguments
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let interruption = try Interruption()
        var writer = try store.writer(output.console, interruption, waiting)
        let report = try work.run(output.console, interruption) { (options) throws(StoreError) in
            try writer.compact(options: options)
        }
        try output.console.say(
            "\(store.file)\n"
                + aligned([
                    ("bytes before", "\(report.byteCountBefore)"), ("bytes after", "\(report.byteCount)"),
                    ("rows", "\(report.rowCount)"), ("dropped", "\(report.droppedRowCount)"),
                    ("carried", "\(report.carriedSegmentCount)"),
                ]),
            json: .object([
                ("bytesBefore", .unsigned(report.byteCountBefore)), ("bytesAfter", .unsigned(report.byteCount)),
                ("rows", .integer(Int64(report.rowCount))), ("dropped", .integer(Int64(report.droppedRowCount))),
                ("carried", .integer(Int64(report.carriedSegmentCount))),
                ("epoch", .integer(Int64(writer.snapshot().epoch))),
            ]))
        do throws(StoreError) { try writer.close() } catch { throw Failure(error) }
    }
}
