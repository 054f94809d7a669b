import FigureSupport
import Foundation
import RVFStore

private let dimension = 64
/// Commits of which a median and a percentile are taken.
private let windowCount = 1000

/// Whether the hundred-thousandth commit of a row is as fast as the hundredth, and what so many do to the file.
func manyCommitFigures(_ bench: Bench) throws {
    try manyCommits(bench, commitCount: bench.choose(10_000, else: 100_000), "no sync", .none)
    try manyCommits(bench, commitCount: bench.choose(2000, else: 10_000), "two syncs", .ordered)
}

private func manyCommits(
    _ bench: Bench, commitCount: Int, _ name: String, _ durability: CommitOptions.Durability
) throws {
    let path = bench.path("many.rvf")
    defer { bench.remove(path) }
    var writer = try StoreWriter.create(at: path, dimension: dimension)
    let components = components(dimension)
    var sample = Sample()
    sample.values.reserveCapacity(commitCount)
    for id in 1...UInt64(commitCount) {
        sample.values.append(
            try timed { try writer.append(ids: [id], components: components, options: .init(durability: durability)) })
    }
    try writer.sync()
    let early = window(of: sample, from: 100)
    let late = window(of: sample, from: commitCount - windowCount)
    let label = "commit \(grouped(commitCount)) beside commit 100, \(name)"
    line("\(label): median", floor: early.median, ours: late.median, "≥ 0.8")
    line("… 99th percentile", floor: early.quantile(0.99), ours: late.quantile(0.99))
    line("… mean, merges included", floor: early.mean, ours: late.mean)
    let rowBytes = commitCount * (8 + 4 * dimension)
    ratioRow("… file beside the bytes of its rows", rowBytes, try fileByteCount(path), "≤ 12 ×")
    try writer.compact()
    ratioRow("… file after compaction", rowBytes, try fileByteCount(path), "≤ 2 ×")
    try writer.close()
}

private func window(of sample: Sample, from first: Int) -> Sample {
    var window = Sample()
    window.values = Array(sample.values[first..<(first + min(windowCount, sample.values.count - first))])
    return window
}

private func ratioRow(_ name: String, _ floor: Int, _ ours: Int, _ target: String) {
    row(name, megabytes(floor), megabytes(ours), String(format: "%.2f ×", Double(ours) / Double(floor)), target)
}
