import ArgumentParser
import RVFStore
import SystemPackage

struct Delete: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete rows from a store, in one commit.",
        discussion: """
            What is printed is durable. Ids that are not there are counted and passed over, which is success; where \
            none is there, nothing is committed and the epoch stays. With --where, `rvf ids` shows beforehand what \
            would go.

            \(WhereOption.help)

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @Option(
        help: ArgumentHelp(
            "Ids to delete, with commas between them. May be given more than once.", valueName: "id,…"))
    var ids: [IDList] = []
    @OptionGroup var condition: WhereOption
    @OptionGroup var waiting: WaitOption
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard ids.isEmpty != (condition.text == nil) else {
            throw ValidationError("Give either ids (--ids) or a filter (--where).")
        }
    }

    func run() throws(Failure) {
        let filter = try condition.filter()
        let interruption = try Interruption()
        var writer = try store.writer(output.console, interruption, waiting)
        if interruption.isRequested { throw Failure.interrupted }
        let result: CommitResult
        do throws(StoreError) {
            var transaction = Transaction()
            if let filter { transaction.delete(where: filter) } else { transaction.delete(ids: ids.flatMap(\.ids)) }
            result = try writer.commit(transaction)
        } catch {
            throw Failure(error)
        }
        let absent = result.ignored == 0 ? "" : ", \(result.ignored) not there"
        try output.console.say(
            "\(store.file): \(result.deleted) deleted\(absent), epoch \(result.epoch)",
            json: .object([
                ("deleted", .integer(Int64(result.deleted))), ("ignored", .integer(Int64(result.ignored))),
                ("epoch", .integer(Int64(result.epoch))),
            ]))
        do throws(StoreError) { try writer.close() } catch { throw Failure(error) }
    }
}

/// Ids as they are typed: `1,2,3`, with spaces where one likes.
struct IDList: ExpressibleByArgument {
    var ids: [UInt64] = []

    init?(argument: String) {
        for word in argument.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            guard let id = UInt64(word) else { return nil }
            ids.append(id)
        }
        if ids.isEmpty { return nil }
    }
}
