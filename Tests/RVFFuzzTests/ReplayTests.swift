import RVFFuzz
import Testing

/// Whatever searches have found once stays checked: inputs that reach far, and all that ever failed.
@Suite struct ReplayTests {
    @Test("every kept input is taken, or refused in order", arguments: FuzzTarget.all.map(\.name))
    func replay(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let inputs = try KeptInputs(of: name).all
        #expect(!inputs.isEmpty)
        for input in inputs {
            #expect(throws: Never.self, "\(name)/\(input.name)") { try target.check(input.bytes) }
        }
    }

    @Test("what a search starts from is taken, cut anywhere, and with any byte changed", arguments: FuzzTarget.all.map(\.name))
    func seeds(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty)
        for (number, seed) in seeds.enumerated() {
            #expect(throws: Never.self, "seed \(number)") { try target.check(seed) }
            // Of each some hundred; of whole stores, which take tens of milliseconds each, fewer.
            let step = max(1, seed.count / (name == "store" ? 12 : 100))
            for position in stride(from: number % step, to: seed.count, by: step) {
                var changed = seed
                changed[position] ^= 1 << UInt8(position % 8)
                #expect(throws: Never.self, "seed \(number), bit of byte \(position)") { try target.check(changed) }
                #expect(throws: Never.self, "seed \(number), \(position) bytes") {
                    try target.check(Array(seed.prefix(position)))
                }
            }
        }
    }
}
