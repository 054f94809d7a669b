import RVFStore
import Testing

@Suite struct DistanceTests {
    static func bytes(_ row: [Float]) -> [UInt8] {
        row.flatMap { component in (0..<4).map { UInt8(truncatingIfNeeded: component.bitPattern >> (8 * $0)) } }
    }

    private static func distance(_ metric: Metric, _ query: [Float], _ row: [Float]) -> Float {
        guard let distance = VectorDistance(query: query, metric: metric) else { return .nan }
        // At an odd address, as rows mostly stand.
        let bytes = [0] + bytes(row)
        return distance(bytes.bytes.extracting(1..<bytes.count))
    }

    /// The order that is specified, lane by lane, in plain code.
    private static func canonicalSum(_ terms: [Float]) -> Float {
        var lanes = [Float](repeating: 0, count: 32)
        for (index, term) in terms.enumerated() { lanes[index % 32] += term }
        var width = 16
        while width > 0 {
            for lane in 0..<width { lanes[lane] += lanes[lane + width] }
            width /= 2
        }
        return lanes[0]
    }

    @Test("Sums are those of the specified order, bit for bit, in every dimension", arguments: 0..<4)
    func followsCanonicalOrder(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        for dimension in Array(1...130) + [384, 768, 1_000, 1_536] {
            let query = (0..<dimension).map { _ in Float.random(in: -2...2, using: &random) }
            let row = (0..<dimension).map { _ in Float.random(in: -2...2, using: &random) }
            let differences = zip(query, row).map { ($0 - $1) * ($0 - $1) }
            #expect(Self.distance(.squaredL2, query, row) == Self.canonicalSum(differences), "dimension \(dimension)")
            let products = zip(query, row).map { $0 * $1 }
            #expect(Self.distance(.innerProduct, query, row) == -Self.canonicalSum(products), "dimension \(dimension)")
        }
    }

    @Test("Distances are those of double precision but for rounding", arguments: 0..<4)
    func isAccurate(seed: Int) {
        var random = SeededGenerator(seed: 40 + UInt64(seed))
        for dimension in [1, 3, 8, 31, 32, 33, 100, 384, 1_536] {
            let query = (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
            let row = (0..<dimension).map { _ in Float.random(in: -1...1, using: &random) }
            let dot = zip(query, row).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
            let size = zip(query, row).reduce(0.0) { $0 + abs(Double($1.0) * Double($1.1)) }
            let l2 = zip(query, row).reduce(0.0) { $0 + (Double($1.0) - Double($1.1)) * (Double($1.0) - Double($1.1)) }
            let lengths = [query, row].map { $0.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
            #expect(abs(Double(Self.distance(.squaredL2, query, row)) - l2) <= 1e-5 * l2)
            #expect(abs(Double(Self.distance(.innerProduct, query, row)) + dot) <= 1e-5 * size)
            #expect(abs(Double(Self.distance(.cosine, query, row)) - (1 - dot / (lengths[0] * lengths[1]))) <= 1e-5)
        }
    }

    @Test("Where one of two vectors has no length, their cosine distance is 1")
    func definesCosineOfZero() {
        #expect(Self.distance(.cosine, [0, 0, 0], [1, 2, 3]) == 1)
        #expect(Self.distance(.cosine, [1, 2, 3], [0, 0, 0]) == 1)
        #expect(Self.distance(.cosine, [0], [0]) == 1)
        #expect(Self.distance(.cosine, [1e-30], [1e-30]) == 1)
        #expect(Self.distance(.cosine, [3, 4], [-3, -4]) == 2)
        #expect(Self.distance(.cosine, [3, 4], [6, 8]) == 0)
        #expect(Self.distance(.cosine, [1e18, 0], [1e18, 1e18]).isFinite)
    }

    @Test("NaN makes a distance NaN wherever it stands, and infinity does not pass for a number")
    func spreadsNaN() {
        for metric in [Metric.squaredL2, .innerProduct, .cosine] {
            for position in [0, 15, 16, 31, 32, 39] {
                var row = [Float](repeating: 1, count: 40)
                row[position] = .nan
                #expect(Self.distance(metric, [Float](repeating: 1, count: 40), row).isNaN)
                #expect(Self.distance(metric, row, [Float](repeating: 1, count: 40)).isNaN)
                row[position] = .infinity
                #expect(!Self.distance(metric, [Float](repeating: 1, count: 40), row).isFinite)
            }
        }
    }

    @Test("A metric that is not known has no distance")
    func knowsMetrics() {
        #expect(VectorDistance(query: [1], metric: Metric(rawValue: 3)) == nil)
    }
}
