import RVFStore
import Testing

@Suite struct FilterMeaningTests {
    private static let fields: [String: MetadataValue] = [
        "text": "banana", "empty": "", "int": .int64(-5), "big": .uint64(.max), "float": 2.5, "yes": true, "no": false,
        "nothing": .null, "raw": .bytes([1, 2]), "umlaut": "\u{E9}",
    ]

    private func holds(_ text: String) throws -> Bool {
        try MetadataFilter(text).matches(Self.fields)
    }

    @Test(
        "True conditions",
        arguments: [
            "text = 'banana'", "text != 'apple'", "text < 'c'", "text < 'bananas'", "text >= 'banana'", "text ^= 'ban'",
            "text ^= ''", "text in ('apple', 'banana')", "empty = ''", "empty < 'a'", "int = -5", "int = -5.0",
            "int in (1, -5)", "int < 0.5", "int > -5.5", "big = 18446744073709551615", "big > 9223372036854775807",
            "big != 18446744073709551616.0", "big < 18446744073709551616.0", "float = 2.5", "float > 2", "float < 3",
            "float != 2", "yes = true", "yes != false", "yes > false", "no <= true", "nothing is null",
            "exists nothing",
            "exists raw", "not missing = 1", "not missing != 1", "not exists missing", "not missing is null",
            "true", "true or missing = 1", "umlaut = 'é'", "int = -5 and float = 2.5 and not no = true",
        ])
    func isTrue(text: String) throws {
        #expect(try holds(text))
    }

    @Test(
        "False conditions",
        arguments: [
            "text = 'Banana'", "text = 1", "text != 1", "text < 1", "text > 1", "text in ()", "text in (1, true)",
            "text ^= 'bananas'", "int ^= '-'", "int = '-5'", "int != '-5'", "int = true", "yes = 1", "yes != 1",
            "yes = 'true'", "nothing = 1", "nothing != 1", "nothing = ''", "nothing in (0)", "raw = ''", "raw != ''",
            "raw ^= ''", "raw is null", "missing = 1", "missing != 1", "missing is null", "exists missing",
            "missing in (1)", "missing ^= ''", "false", "false and text = 'banana'", "umlaut = 'e\\u{301}'",
            "big = 18446744073709551616.0", "text is null",
        ])
    func isFalse(text: String) throws {
        #expect(try !holds(text))
    }

    @Test("Numbers compare by their exact value, where rounding would make equals of them")
    func comparesExactly() throws {
        func compare(_ value: MetadataValue, _ text: String) throws -> Bool {
            try MetadataFilter("n \(text)").matches(["n": value])
        }
        // 2^53 + 1 is no Double.
        #expect(try compare(.int64(9_007_199_254_740_993), "> 9007199254740992.0"))
        #expect(try compare(.int64(9_007_199_254_740_993), "!= 9007199254740992.0"))
        #expect(try compare(.double(9_007_199_254_740_992), "< 9007199254740993"))
        #expect(try compare(.int64(.max), "< 9223372036854775808.0"))
        #expect(try compare(.int64(.min), "= -9223372036854775808.0"))
        #expect(try compare(.int64(.min), "> -9223372036854777856.0"))
        #expect(try compare(.uint64(.max), "= 18446744073709551615"))
        #expect(try compare(.double(1e300), "> 170141183460469231731687303715884105727"))
        #expect(try compare(.double(-1e300), "< -170141183460469231731687303715884105728"))
        #expect(try compare(.double(-0x1p127), "= -170141183460469231731687303715884105728"))
        #expect(try compare(.double(-0.5), "< 0"))
        #expect(try compare(.double(-0.5), "> -1"))
        #expect(try compare(.double(0.1), "= 0.1"))
        #expect(try compare(.double(-0.0), "= 0"))
        #expect(try compare(.double(.leastNonzeroMagnitude), "> 0"))
    }

    @Test("Literals that are not finite compare with nothing")
    func comparesNothingWithInfinity() {
        for number in [Double.infinity, -.infinity, .nan] {
            for comparison in MetadataFilter.Comparison.allCases {
                for value in [MetadataValue.int64(1), .uint64(1), .double(1)] {
                    #expect(!MetadataFilter.field("n", comparison, .double(number)).matches(["n": value]))
                }
            }
        }
    }

    @Test("Exactly one of less, equal and greater holds between any two numbers", arguments: 0..<4)
    func ordersNumbers(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<2_000 {
            let value: MetadataValue =
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    .int64(Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0...63, using: &random))
                case 1:
                    .uint64(
                        UInt64.random(in: .min ... .max, using: &random) >> UInt64.random(in: 0...63, using: &random))
                default: .double(RandomFilter.finite(&random))
                }
            var literal = RandomFilter.literal(&random)
            switch literal {
            case .integer, .double: break
            default: literal = .double(Double(Int64.random(in: .min ... .max, using: &random)))
            }
            func holds(_ comparison: MetadataFilter.Comparison) -> Bool {
                MetadataFilter.field("n", comparison, literal).matches(["n": value])
            }
            let orders = [holds(.less), holds(.equal), holds(.greater)]
            #expect(orders.count { $0 } == 1, "seed \(seed): \(value) \(literal)")
            #expect(holds(.atMost) == !orders[2])
            #expect(holds(.atLeast) == !orders[0])
            #expect(holds(.notEqual) == !orders[1])
        }
    }

    @Test("A filter means the same to a store's records as to fields in a dictionary", arguments: 0..<4)
    func agreesOnRecords(seed: Int) throws {
        var random = SeededGenerator(seed: 5 + UInt64(seed))
        var changes = MetadataChanges()
        var fields: [UInt64: [String: MetadataValue]] = [:]
        for id in UInt64(0)..<40 {
            for (name, values) in Self.columns where Bool.random(using: &random) {
                let value = values.randomElement(using: &random) ?? .null
                changes.set(name, to: value, for: id)
                fields[id, default: [:]][name] = value
            }
        }
        let state = try #require(try MetadataState().committing(changes)).state
        for _ in 0..<300 {
            let filter = RandomFilter.make(depth: 3, using: &random)
            let bound = BoundFilter(filter, schema: state.schema)
            // 40 and 41 have no record at all.
            for id in UInt64(0)..<42 {
                #expect(state.matches(bound, id: id) == filter.matches(fields[id] ?? [:]), "seed \(seed): \(filter)")
            }
        }
    }

    private static let columns: [(String, [MetadataValue])] = [
        ("a", [.int64(-1), .int64(0), .int64(2), .null]), ("b", ["a", "'", "", .null]),
        ("x.y-z", [.double(0.5), .null]),
        ("not", [true, false]), ("é", [.uint64(3), .uint64(.max)]), ("`", [.bytes([1])]),
    ]
}
