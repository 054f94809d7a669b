import Foundation

/// Seconds on a clock that never steps, the same for all processes of the machine.
package func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

package struct Sample {
    package var values: [Double] = []

    package init() {}

    package var sorted: [Double] { values.sorted() }
    package var median: Double { quantile(0.5) }
    package var mean: Double { values.reduce(0, +) / Double(values.count) }
    package var longest: Double { values.max() ?? .nan }

    package func quantile(_ fraction: Double) -> Double {
        let all = sorted
        return all.isEmpty ? .nan : all[min(all.count - 1, Int(Double(all.count) * fraction))]
    }
}

/// Runs the two in turns, so that whatever else the machine does meets both; seconds for one call, batch by batch.
package func compare(
    batches: Int, calls: Int, floor: () throws -> Void, ours: () throws -> Void
) rethrows -> (floor: Sample, ours: Sample) {
    var result = (floor: Sample(), ours: Sample())
    for _ in 0..<batches {
        var start = now()
        for _ in 0..<calls { try floor() }
        result.floor.values.append((now() - start) / Double(calls))
        start = now()
        for _ in 0..<calls { try ours() }
        result.ours.values.append((now() - start) / Double(calls))
    }
    return result
}

package func microseconds(_ seconds: Double) -> String { String(format: "%.2f µs", seconds * 1e6) }
package func milliseconds(_ seconds: Double) -> String { String(format: "%.2f ms", seconds * 1e3) }

package func row(_ cells: String...) { print("| " + cells.joined(separator: " | ") + " |") }
