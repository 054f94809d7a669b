import ArgumentParser
import RVFStore

/// A condition on the metadata of rows, as text.
struct WhereOption: ParsableArguments {
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp("Only rows whose metadata is so.", valueName: "filter"))
    var text: String?

    static let help = """
        A filter compares fields of a row's metadata:
          --where "language = 'en' and (year >= 2020 or exists pinned)"
          --where "path ^= 'docs/' and not kind in ('draft', 'note')"
        There are = != < <= > >=, ^= for text that begins so, in (…), exists, is null, and, or, not and parentheses; \
        names that are none of letters, digits, _ . and - stand between back quotes. A comparison is false for rows \
        that do not have the field, != too.
        """

    /// Nil where none was given. To be asked for before anything is done.
    func filter() throws(Failure) -> MetadataFilter? {
        guard let text else { return nil }
        do throws(FilterError) {
            return try MetadataFilter(text)
        } catch {
            var failure = Failure.usage("\(error)")
            failure.details = [("column", .integer(Int64(error.column)))]
            failure.excerpt = Self.excerpt(text, pointingAt: error.column)
            throw failure
        }
    }

    /// The part of the text around a column, and beneath it a mark; both fit into a terminal's usual 80 columns.
    private static func excerpt(_ text: String, pointingAt column: Int) -> String {
        let scalars = Array(text.unicodeScalars)
        let place = min(column - 1, scalars.count)
        let start = max(0, place - 50)
        let shown = scalars[start..<min(scalars.count, place + 25)].map { scalar -> Character in
            // Whatever moves the cursor would part the mark from its place.
            scalar.properties.generalCategory == .control ? " " : Character(scalar)
        }
        return "  " + String(shown) + "\n  " + String(repeating: " ", count: place - start) + "^"
    }
}
