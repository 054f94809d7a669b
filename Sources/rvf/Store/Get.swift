import ArgumentParser
import RVFStore
import SystemPackage

struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the vectors of ids, a line for each, in the order asked.",
        discussion: """
            With --json a line has the id's metadata too, if it has any.

            Numbers are the shortest decimals that read back to the same 32-bit float. Ids that are not there are \
            named at the end, with exit code 1; the others are printed all the same.

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "Ids to look up.")
    var ids: [UInt64]
    @Flag(help: "Print the metadata, too, behind the vector. With --json that is always done.")
    var metadata = false
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let snapshot = try store.snapshot()
        var missing: [UInt64] = []
        // Vectors are worth printing where metadata cannot be read.
        var failure: Failure?
        for id in ids {
            guard let vector = try Self.vector(id, in: snapshot) else {
                missing.append(id)
                continue
            }
            var fields: JSON?
            if failure == nil, metadata || output.json {
                do throws(StoreError) {
                    fields = try snapshot.metadata(of: id).map(JSON.metadata)
                } catch {
                    failure = Failure(error)
                }
            }
            let found = fields.map { [("metadata", $0)] } ?? []
            try output.console.say(
                "\(id)  " + vector.map(\.description).joined(separator: " ") + (fields.map { "  " + $0.line } ?? ""),
                json: .object([("id", .unsigned(id)), ("vector", .array(vector.map { .float($0) }))] + found))
        }
        if let failure { throw failure }
        guard missing.isEmpty else { throw absence(of: missing) }
    }

    private static func vector(_ id: UInt64, in snapshot: Snapshot) throws(Failure) -> [Float]? {
        do throws(StoreError) { return try snapshot.vector(id: id) } catch { throw Failure(error) }
    }

    private func absence(of ids: [UInt64]) -> Failure {
        let list = ids.map(\.description).joined(separator: ", ")
        return Failure(
            .failed, code: "notFound", "\(store.file) has no \(ids.count == 1 ? "row with id" : "rows with the ids") \(list)",
            details: [("ids", .array(ids.map { .unsigned($0) }))])
    }
}
