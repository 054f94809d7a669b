import ArgumentParser
import RVFStore
import SystemPackage

struct IDs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ids",
        abstract: "Print the ids of a store's rows, one on each line, rising.",
        discussion: """
            A line is a JSON number too, so --json prints the same.

            \(WhereOption.help)

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @OptionGroup var condition: WhereOption
    @OptionGroup var output: OutputOptions

    /// There may be millions of lines, so not each is a write of its own.
    private static let byteCountAtOnce = 1 << 16

    func run() throws(Failure) {
        let filter = try condition.filter()
        let snapshot = try store.snapshot()
        let ids: [UInt64]
        do throws(StoreError) {
            ids = if let filter { try snapshot.ids(where: filter) } else { try snapshot.ids() }
        } catch {
            throw Failure(error)
        }
        var lines = ""
        for id in ids {
            lines += "\(id)\n"
            guard lines.utf8.count >= Self.byteCountAtOnce else { continue }
            try Console.write(lines, to: .standardOutput)
            lines.removeAll(keepingCapacity: true)
        }
        try Console.write(lines, to: .standardOutput)
    }
}
