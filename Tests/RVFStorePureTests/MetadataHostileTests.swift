import RVFStore
import Testing

@Suite struct MetadataHostileTests {
    /// A small delta with something of everything.
    static var sample: PayloadBytes {
        PayloadBytes.withSchema(isDelta: true, files: 2, records: 3)
            .name("k1").content(Array("välue".utf8)).name("k2").add([7])
            .record(1, fields: 2).add(UInt16(1)).content(Array("text".utf8)).add(UInt16(2)).add([6, 1])
            .record(2, operation: 1, fields: 0)
            .record(3, fields: 1).add(UInt16(1)).add([0])
    }

    @Test("The sample is accepted")
    func acceptsSample() {
        #expect(faultOffset(Self.sample.finished) == nil)
    }

    @Test("A payload that is cut anywhere is refused, also where a right footer follows the cut")
    func refusesTruncation() {
        let whole = Self.sample
        let bytes = whole.finished
        for count in 0..<bytes.count { #expect(faultOffset(Array(bytes.prefix(count))) != nil, "first \(count) bytes") }
        for count in 0..<whole.body.count {
            let cut = PayloadBytes()
            cut.body = Array(whole.body.prefix(count))
            let offset = faultOffset(cut.finished)
            #expect(offset != nil, "first \(count) bytes of the body")
            if let offset { #expect(offset <= count + 40) }
        }
    }

    @Test("A payload in which any bit is flipped is refused")
    func refusesFlips() {
        let bytes = Self.sample.finished
        for position in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[position] ^= 1 << bit
                #expect(faultOffset(flipped) != nil, "bit \(bit) of byte \(position)")
            }
        }
    }

    @Test("Whatever bytes are accepted are encoded as the same bytes", arguments: 0..<16)
    func encodesWhatItAccepts(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let sample = Self.sample.body
        var accepted = 0
        for round in 0..<4_000 {
            let payload = PayloadBytes()
            payload.body = sample
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                Self.damage(&payload.body, using: &random)
            }
            let bytes = payload.finished
            guard case .success(let decoded) = decoding(bytes) else { continue }
            accepted += 1
            let encoded = try decoded.encoded()
            #expect(encoded == bytes, "seed \(seed), round \(round)")
            // Nothing that a payload can say brings the state down either.
            let base = try MetadataState().applying(bytes: Self.base(generation: decoded.baseGeneration ?? 0))
            _ = try? base.applying(decoded, byteCount: bytes.count).ids
        }
        #expect(accepted > 0, "seed \(seed)")
    }

    private static func base(generation: UInt64) -> [UInt8] {
        PayloadBytes(generation: generation, schema: 2, records: 2)
            .schema(1, type: 1, nullable: 1, "a").schema(2, type: 6, nullable: 0, "b")
            .record(1, fields: 1).add(UInt16(2)).add([6, 0]).record(2, fields: 0).finished
    }

    private static func damage(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        let position = Int.random(in: 10..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[position] = UInt8.random(in: .min ... .max, using: &random)
        case 1: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes.remove(at: position)
        case 3: bytes.insert(UInt8.random(in: 0..<8, using: &random), at: position)
        default:
            let count = min(Int.random(in: 1...20, using: &random), bytes.count - position)
            bytes.insert(contentsOf: bytes[position..<(position + count)], at: position)
        }
    }

    @Test("Random bytes behind a right beginning are refused without harm", arguments: 0..<8)
    func survivesNoise(seed: Int) {
        var random = SeededGenerator(seed: 1_000 + UInt64(seed))
        for _ in 0..<3_000 {
            let counts = (0..<3).map { _ in UInt32.random(in: 0...3, using: &random) }
            let payload = PayloadBytes(schema: counts[0], files: counts[1], records: counts[2])
            let length = Int.random(in: 0...200, using: &random)
            // Small numbers, which mean something more often.
            payload.add((0..<length).map { _ in UInt8.random(in: 0...7, using: &random) })
            if case .failure(let error) = decoding(payload.finished) {
                #expect((0...(payload.body.count + 40)).contains(error.offset), "seed \(seed)")
            }
        }
    }
}
