import RVFStore
import Testing

@Suite("Which segments are merged")
struct MergePolicyTests {
    private func merged(_ counts: [Int], limit: Int = 1 << 20, fixed: Set<Int> = []) -> [Range<Int>] {
        let items = counts.enumerated().map {
            MergePolicy.Item(rowCount: $1, byteCount: $1, isMovable: !fixed.contains($0))
        }
        return MergePolicy.groups(items, segmentByteCount: limit).map(\.items)
    }

    @Test("ten of a tier become one, and so on up")
    func tiers() {
        #expect(merged(Array(repeating: 1, count: 9)) == [])
        #expect(merged(Array(repeating: 1, count: 10)) == [0..<10])
        #expect(merged([500] + Array(repeating: 10, count: 9) + Array(repeating: 1, count: 10)) == [1..<20])
        #expect(merged([10, 10] + Array(repeating: 1, count: 10)) == [2..<12])
        #expect(merged([]) == [])
    }

    @Test("a larger segment takes in the smaller ones before it, and leaves its own kind alone")
    func larger() {
        #expect(merged([1000, 1, 1, 50]) == [1..<4])
        #expect(merged([1000, 2000]) == [])
        #expect(merged([1, 10, 100, 1000]) == [0..<4])
    }

    @Test("a full segment, and one that may not be rewritten, stay; what stands between becomes one")
    func barriers() {
        #expect(merged([1, 1, 600, 1, 1, 600, 1, 1], limit: 1000) == [0..<2, 3..<5])
        #expect(merged([1, 1, 1, 5, 1, 1], fixed: [3]) == [0..<3])
        // No more than the limit goes into one.
        #expect(merged([400, 300, 300, 300, 600], limit: 1000) == [0..<3])
    }

    @Test("whatever comes, the directory stays short, nothing is over the limit, and each row is copied seldom", arguments: 0..<5 as Range<UInt64>)
    func anything(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let limit = 100_000
        var segments: [Int] = []
        var written = 0
        var copied = 0
        for _ in 0..<20_000 {
            let batch = [1, 1, 1, 7, 30, 400, 60_000].randomElement(using: &generator)! * (seed == 4 ? 1 : 1 + Int(seed))
            written += batch
            segments.append(batch)
            for group in merged(segments, limit: limit).reversed() {
                let sum = segments[group].reduce(0, +)
                #expect(sum <= limit, "seed \(seed)")
                copied += sum
                segments.replaceSubrange(group, with: CollectionOfOne(sum))
            }
            let full = segments.count { $0 > limit / 2 }
            #expect(segments.count <= 2 * full + 54, "seed \(seed)")
            // What is full is never touched again.
            if segments.count > 200 { segments.removeFirst(100) }
        }
        #expect(copied < 6 * written, "seed \(seed)")
    }
}
