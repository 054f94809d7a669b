import RVFCommand
import RVFConformance
import RVFStore

extension FuzzTarget {
    static let textTargets = [
        FuzzTarget("filter", seeds: { texts(filterTexts) }, greedy: GreedyInputs.filters, checkFilter),
        FuzzTarget(
            "json-rows", seeds: { texts(rowTexts) }, greedy: GreedyInputs.rows, taking: StoreUse.ingest, checkRows),
        FuzzTarget("arguments", seeds: { texts(argumentTexts) }, greedy: GreedyInputs.arguments, checkArguments),
        FuzzTarget("peer-lines", seeds: { texts(peerTexts) }, greedy: GreedyInputs.lines, checkPeerLines),
    ]

    private static func texts(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

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

    /// A word on each line.
    private static let argumentTexts = [
        "0.1 -2 3e4", "[0.1, -2, 3e4]", "nan,inf,-0x1p3", "1, 2,18446744073709551615", "00ffA0", "1e3",
        "query\ndata.rvf\n-v\n0.1 -2\n-k\n3\n--where\ny > 3\n--json",
        "checkpoint\nset\ndata.rvf\n--source\nlog\n--count\n7\n--offset-hex\n0aFF", "ingest\ndata.rvf\n-i\n-",
        "lock\nbreak\ndata.rvf\n--writer\n00112233445566778899aabbccddeeff", "delete\ndata.rvf\n--ids\n1,2\n--wait\n2.5",
    ]

    private static let peerTexts = [
        "acquire /tmp/a b\nvalidate\nstatus x\nrelease\nexit\n", "ok\nheld pid=3 by somebody\nlost\nunsupported x=1 y\n",
        "error what else\nfree\nstale pid=1\n",
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

    /// What an argument says stays what it says when it is written out.
    private static func checkArguments(_ input: [UInt8]) throws {
        let text = String(decoding: input, as: UTF8.self)
        if let vector = ArgumentText.vector(text) {
            let again = ArgumentText.vector(vector.map(\.description).joined(separator: " "))
            // Nothing is said of the bits of what is no number.
            let isSame = again.map { zip($0, vector).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN } }
            try FuzzFailure.unless(isSame == true && again?.count == vector.count, "\(vector) reads as \(again ?? [])")
        }
        if let ids = ArgumentText.ids(text) {
            let again = ArgumentText.ids(ids.map(\.description).joined(separator: ","))
            try FuzzFailure.unless(again == ids, "\(ids) reads as \(again ?? [])")
        }
        if let bytes = ArgumentText.bytes(text) {
            let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            try FuzzFailure.unless(ArgumentText.bytes(digits) == bytes, "\(digits) does not read as \(bytes)")
        }
        if let seconds = ArgumentText.seconds(text) {
            try FuzzFailure.unless(seconds >= .zero, "\(seconds) is less than none")
        }
        // More than a system takes.
        guard input.count <= 1 << 17, input.count(where: { $0 == UInt8(ascii: "\n") }) <= 64 else { return }
        let words = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let problem = ArgumentText.problem(with: words)
        try FuzzFailure.unless(problem?.isEmpty != true, "no reason for refusing \(words)")
    }

    /// What comes in pieces reads as what comes at once, and a line that is understood means the same written out.
    private static func checkPeerLines(_ input: [UInt8]) throws {
        // As they are read, and in other pieces.
        let lines = lines(of: input, inPiecesOf: LineBuffer.limitBytes)
        let others = self.lines(of: input, inPiecesOf: max(1, Int(input.first ?? 1)))
        try FuzzFailure.unless(others == lines, "in other pieces, other lines are read")
        for case .text(let line) in lines {
            try FuzzFailure.unless(line.utf8.count <= 3 * LineBuffer.limitBytes, "a line of \(line.utf8.count) bytes")
            if let request = PeerRequest(line: line) {
                try FuzzFailure.unless(PeerRequest(line: request.line) == request, "\(request) reads as something else")
            }
            if let answer = PeerAnswer(line: line) {
                _ = answer.value(of: "pid")
                try FuzzFailure.unless(PeerAnswer(line: answer.line) == answer, "\(answer) reads as something else")
            }
        }
    }

    /// All lines, up to the first that is too long, at which whoever reads gives up.
    private static func lines(of input: [UInt8], inPiecesOf byteCount: Int) -> [LineBuffer.Line] {
        var buffer = LineBuffer()
        var lines: [LineBuffer.Line] = []
        for start in stride(from: 0, to: input.count, by: byteCount) {
            buffer.append(input[start..<min(start + byteCount, input.count)])
            while let line = buffer.next() {
                lines.append(line)
                if line == .tooLong { return lines }
            }
        }
        return lines
    }
}
