import RVFStore
import Testing

@Suite struct FilterParserTests {
    private func parse(_ text: String) throws(FilterError) -> MetadataFilter {
        try MetadataFilter(text)
    }

    private func fault(_ text: String) -> Int? {
        do {
            _ = try MetadataFilter(text)
            return nil
        } catch {
            return error.column
        }
    }

    @Test("Every form of condition is read")
    func readsConditions() throws {
        #expect(try parse("a = 1") == .field("a", .equal, 1))
        #expect(try parse("a!=-1") == .field("a", .notEqual, -1))
        #expect(try parse("a < 1.5") == .field("a", .less, 1.5))
        #expect(try parse("a <= 1e3") == .field("a", .atMost, .double(1_000)))
        #expect(try parse("a>\"x\"") == .field("a", .greater, "x"))
        #expect(try parse("a >= 'x'") == .field("a", .atLeast, "x"))
        #expect(try parse("a = TRUE") == .field("a", .equal, true))
        #expect(try parse("a ^= 'x'") == .field("a", hasPrefix: "x"))
        #expect(try parse("a in (1, 'x', false)") == .field("a", in: [1, "x", false]))
        #expect(try parse("a In ()") == .field("a", in: []))
        #expect(try parse("exists a") == .exists("a"))
        #expect(try parse("a is null") == .isNull("a"))
        #expect(try parse("true") == .everything)
        #expect(try parse("false") == .nothing)
    }

    @Test("And binds before or, not before and, and parentheses before all")
    func bindsInOrder() throws {
        let (a, b, c) = (MetadataFilter.exists("a"), MetadataFilter.exists("b"), MetadataFilter.exists("c"))
        #expect(try parse("exists a or exists b and exists c") == .any([a, .all([b, c])]))
        #expect(try parse("(exists a or exists b) and exists c") == .all([.any([a, b]), c]))
        #expect(try parse("not exists a and exists b") == .all([.not(a), b]))
        #expect(try parse("not (exists a and exists b)") == .not(.all([a, b])))
        #expect(try parse("not not exists a") == .not(.not(a)))
        #expect(try parse("exists a and exists b and exists c") == .all([a, b, c]))
        #expect(try parse("exists a and (exists b and exists c)") == .all([a, .all([b, c])]))
        #expect(try parse("((exists a))") == a)
    }

    @Test("Names, strings and numbers are read in all their forms")
    func readsTokens() throws {
        #expect(try parse("rvf.model-2_x = 1") == .field("rvf.model-2_x", .equal, 1))
        #expect(try parse("`and` = 1") == .field("and", .equal, 1))
        #expect(try parse("`a``b c` = 1") == .field("a`b c", .equal, 1))
        #expect(try parse("`` = 1") == .field("", .equal, 1))
        #expect(try parse(#"a = "\\\"\'\n\r\t\0\u{e9}\u{1F600}""#) == .field("a", .equal, "\\\"'\n\r\t\0é😀"))
        #expect(try parse("a = 'it\"s'") == .field("a", .equal, "it\"s"))
        #expect(try parse("a = +5") == .field("a", .equal, 5))
        #expect(try parse("a = 18446744073709551615") == .field("a", .equal, .integer(Int128(UInt64.max))))
        #expect(try parse("a = -170141183460469231731687303715884105728") == .field("a", .equal, .integer(.min)))
        #expect(try parse("a = 1E-400") == .field("a", .equal, 0.0))
        #expect(try parse("\t a\r\n=\u{B}1 ") == .field("a", .equal, 1))
    }

    @Test(
        "What cannot be read is refused at its column",
        arguments: [
            ("", 1), ("   ", 4), ("a", 2), ("a =", 4), ("a = b", 5), ("= 1", 1), ("a = 1 b", 7), ("a = 1 and", 10),
            ("(a = 1", 7), ("a = 1)", 6), ("a in 1", 6), ("a in (1", 8), ("a in (1,)", 9), ("a in (1 2)", 9),
            ("a is 1", 6), ("a is not null", 6), ("exists", 7), ("exists 1", 8), ("a ^= 1", 6), ("and = 1", 1),
            ("a = 'x", 5), ("a = \"x'", 5), ("`a = 1", 1), ("a = '\\x'", 6), ("a = '\\u{}'", 6), ("a = '\\u{D800}'", 6),
            ("a = '\\u{110000}'", 6), ("a = '\\u41'", 6), ("a = '\\", 6), ("a = -", 5), ("a = 1.", 7), ("a = 1.x", 7),
            ("a = 1e", 7), ("a = 1e+", 8), ("a = 1x", 6), ("a = 1e999", 5), ("a & b", 3), ("a ! 1", 3), ("a ^ 'x'", 3),
            ("a = 170141183460469231731687303715884105728", 5), ("größe = 1", 3), ("a = 'é' x", 9),
            ("a = \u{201C}x\u{201D}", 5),
            ("a\u{0} = 1", 2), ("not", 4), ("not and", 5), ("a in (null)", 7), ("a = null", 5),
        ])
    func refusesAtColumn(text: String, column: Int) {
        #expect(fault(text) == column, "\(text)")
    }

    @Test("The error says what was expected, for people")
    func explains() throws {
        let error = #expect(throws: FilterError.self) { try parse("colour = red") }
        #expect(
            error?.description
                == "The filter cannot be read, column 10: a string, a number, true or false is expected here, not the name red."
        )
    }

    @Test("64 levels are read, and no more")
    func limitsDepth() {
        for (open, close) in [("(", ")"), ("not ", ""), ("not (", ")")] {
            let levels = open == "not (" ? 32 : 64
            func text(_ count: Int) -> String {
                String(repeating: open, count: count) + "true" + String(repeating: close, count: count)
            }
            #expect(fault(text(levels)) == nil)
            #expect(fault(text(levels + 1)) != nil)
            #expect(fault(String(repeating: open, count: 10_000)) != nil)
        }
    }

    @Test("64 KiB of text are read, and no more")
    func limitsLength() throws {
        let tests = (0..<7_000).map { _ in "exists a" }
        #expect(fault(tests.prefix(5_000).joined(separator: " or ")) == nil)
        #expect(fault(tests.joined(separator: " or ")) == 1)
        #expect(fault("a = '" + String(repeating: "x", count: 65_530) + "'") == nil)
        #expect(fault("a = '" + String(repeating: "x", count: 65_531) + "'") == 1)
    }

    @Test("Any filter's text reads back as the filter", arguments: 0..<8)
    func roundTrips(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<400 {
            let filter = RandomFilter.make(depth: 5, using: &random)
            #expect(try parse(filter.description) == filter, "seed \(seed): \(filter)")
        }
    }

    @Test("Damaged text is read or refused, never more", arguments: 0..<8)
    func survivesDamage(seed: Int) {
        var random = SeededGenerator(seed: 77 + UInt64(seed))
        let pieces = [
            "(", ")", "not", " and ", " or ", "`", "'", "\"", "\\", "\\u{", "}", "1", "e", ".", "-", "é", "in", "^=",
            "\0", "a", " ",
        ]
        for _ in 0..<400 {
            var text = Array(RandomFilter.make(depth: 3, using: &random).description)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: 0...text.count, using: &random)
                text.insert(contentsOf: pieces.randomElement(using: &random) ?? "", at: position)
            }
            if let column = fault(String(text)) {
                #expect(column >= 1 && column <= String(text).unicodeScalars.count + 1, "seed \(seed)")
            }
        }
    }
}

enum RandomFilter {
    static let names = ["a", "b", "not", "strange name", "`", "x.y-z", "", "é", "Exists"]

    static func make(depth: Int, using random: inout SeededGenerator) -> MetadataFilter {
        let name = names.randomElement(using: &random) ?? "a"
        let comparison = MetadataFilter.Comparison.allCases.randomElement(using: &random) ?? .equal
        func parts() -> [MetadataFilter] {
            (0..<Int.random(in: 0...3, using: &random)).map { _ in make(depth: depth - 1, using: &random) }
        }
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
        case 0: return .field(name, in: (0..<Int.random(in: 0...3, using: &random)).map { _ in literal(&random) })
        case 1: return .exists(name)
        case 2: return .isNull(name)
        case 3: return .field(name, hasPrefix: text(&random))
        case 4, 5: return .field(name, comparison, literal(&random))
        case 6: return .all(parts())
        case 7: return .any(parts())
        default: return .not(make(depth: depth - 1, using: &random))
        }
    }

    static func literal(_ random: inout SeededGenerator) -> MetadataFilter.Literal {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: .bool(Bool.random(using: &random))
        case 1:
            .integer(
                Int128(Int64.random(in: .min ... .max, using: &random))
                    << Int128(Int.random(in: 0...60, using: &random)))
        case 2: .integer(Int128.random(in: -3...3, using: &random))
        case 3: .double(finite(&random))
        default: .string(text(&random))
        }
    }

    static func finite(_ random: inout SeededGenerator) -> Double {
        let number = Double(bitPattern: UInt64.random(in: .min ... .max, using: &random))
        return number.isFinite ? number : 0.5
    }

    static func text(_ random: inout SeededGenerator) -> String {
        let scalars: [Unicode.Scalar] = [
            "a", "'", "\"", "\\", "\n", "\0", "\u{7F}", "\u{1}", "é", "\u{301}", "😀", "`", " ",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...5, using: &random) { text.append(scalars.randomElement(using: &random) ?? "a") }
        return String(text)
    }
}
