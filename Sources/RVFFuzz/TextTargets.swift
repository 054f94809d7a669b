import RVFCommand
import RVFStore

extension FuzzTarget {
    static let textTargets = [
        FuzzTarget("filter", seeds: { filterTexts.map { Array($0.utf8) } }, checkFilter),
        FuzzTarget("json-rows", seeds: { rowTexts.map { Array($0.utf8) } }, checkRows),
    ]

    private static let filterTexts = [
        "language = 'en' and (year >= 2020 or exists pinned)", "not `odd name` ^= \"a\\u{e9}\\n\"",
        "a in (1, -2.5e3, 'x', true) or b is null", "true", "false or not (a != 3 and b < 4 and c <= 5 and d > 6)",
        "x = 170141183460469231731687303715884105727", "y = -0.0 or z in ()",
    ]

    private static let rowTexts = [
        #"[{"id": 1, "vector": [0.5, -1e3]}, {"vector": [1, 2], "id": 18446744073709551615}]"#,
        #"[{"id":1,"vector":[1,2],"metadata":{"s":"a\u00e9\ud83d\ude00\n","i":-3,"u":18446744073709551615,"#
            + #""d":2.5,"t":true,"n":null}}]"#,
        #"[]"#, "\u{FEFF} [ ] \n", #"[{"note":{"a":[1,"\"\u00e9\\",null,true]},"id":3,"vector":[1,2]}]"#,
    ]

    private static func checkFilter(_ input: [UInt8]) throws {
        let filter: MetadataFilter
        do throws(FilterError) {
            filter = try MetadataFilter(String(decoding: input, as: UTF8.self))
        } catch {
            return try FuzzFailure.unless(error.column > 0 && !error.what.isEmpty, "no place: \(error)")
        }
        let text = filter.description
        // Written out it can be longer than what is taken.
        guard text.utf8.count <= MetadataFilter.maximumByteCount else { return }
        let again = try MetadataFilter(text)
        try FuzzFailure.unless(again == filter, "`\(filter)` reads as `\(again)`")
        let samples: [[String: MetadataValue]] = [
            [:], ["a": .int64(3), "b": .null, "x": .uint64(.max)], ["a": .string("x"), "y": .double(0), "b": .bool(true)],
        ]
        for fields in samples {
            let isMatch = filter.matches(fields)
            try FuzzFailure.unless(again.matches(fields) == isMatch, "`\(filter)` and its text differ on \(fields)")
            try FuzzFailure.unless(MetadataFilter.not(filter).matches(fields) != isMatch, "`\(filter)` and not `\(filter)`")
        }
    }

    private static func checkRows(_ input: [UInt8]) throws {
        guard let rows = RowText.rows(input, dimension: 2) else { return }
        for row in rows {
            try FuzzFailure.unless(row.vector.count == 2 && row.vector.allSatisfy(\.isFinite), "a row of \(row.vector)")
        }
        let again = RowText.rows(Array(RowText.text(rows).utf8), dimension: 2)
        try FuzzFailure.unless(again == rows, "\(rows) are read back as \(String(describing: again))")
    }
}
