import ArgumentParser
import RVFStore
import SystemPackage

struct Query: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find the rows nearest to a vector.",
        discussion: """
            Looks at every row, so that the result is exact. The nearest come first; of one distance, by id. The \
            distance is that of the store's metric: the squared Euclidean one, the negated inner product, or \
            1 − cosine similarity. With --json one array is printed: [{"id":…,"distance":…}].

            \(WhereOption.help)

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("The vector: numbers with spaces or commas between them, or a JSON array.", valueName: "numbers"))
    var vector: QueryVector?
    @Option(help: ArgumentHelp("Take the vector of this row, which is then found as well.", valueName: "id"))
    var id: UInt64?
    @Option(name: .customShort("k"), help: ArgumentHelp("How many rows to find at most.", valueName: "n"))
    var limit = 10
    @OptionGroup var condition: WhereOption
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (vector == nil) != (id == nil) else {
            throw ValidationError("Give either a vector (-v) or the id of a row (--id).")
        }
        guard limit >= 0 else { throw ValidationError("-k is \(limit); no fewer than 0 rows can be found.") }
    }

    func run() throws(Failure) {
        let filter = try condition.filter()
        let snapshot = try store.snapshot()
        let query = try query(in: snapshot)
        let hits: [SearchHit]
        do throws(StoreError) {
            hits = try snapshot.nearest(to: query, limit: limit, where: filter)
        } catch {
            throw Failure(error)
        }
        if output.json {
            let list = hits.map { JSON.object([("id", .unsigned($0.id)), ("distance", .float($0.distance))]) }
            return try output.console.say("", json: .array(list))
        }
        let width = hits.map(\.id.description.count).max() ?? 0
        for hit in hits {
            let id = hit.id.description
            try output.console.say(
                String(repeating: " ", count: width - id.count) + "\(id)  \(hit.distance)", json: .null)
        }
    }

    private func query(in snapshot: Snapshot) throws(Failure) -> [Float] {
        guard let id else { return vector?.components ?? [] }
        let found: [Float]?
        do throws(StoreError) { found = try snapshot.vector(id: id) } catch { throw Failure(error) }
        guard let found else {
            throw Failure(
                .failed, code: "notFound", "\(store.file) has no row with id \(id)",
                details: [("ids", .array([.unsigned(id)]))])
        }
        return found
    }
}

/// A vector as it is typed: `0.1 -2 3e4`, `0.1,-2,3e4` or `[0.1, -2, 3e4]`. Numbers that are not finite get through:
/// what the store says of them is clearer than that the argument was wrong.
struct QueryVector: ExpressibleByArgument {
    var components: [Float] = []

    init?(argument: String) {
        var text = argument[...].trimmed
        if text.hasPrefix("["), text.hasSuffix("]"), text.count >= 2 { text = text.dropFirst().dropLast().trimmed }
        // Commas, or spaces alone: with commas, something stands between any two.
        let words = text.contains(",")
            ? text.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed)
            : text.split(whereSeparator: \.isWhitespace)
        for word in words {
            guard let component = Float(word) else { return nil }
            components.append(component)
        }
        if components.isEmpty { return nil }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        let rest = drop { $0.isWhitespace }
        guard let last = rest.lastIndex(where: { !$0.isWhitespace }) else { return rest }
        return rest[...last]
    }
}
