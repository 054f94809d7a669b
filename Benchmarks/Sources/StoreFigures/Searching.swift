import FigureSupport
import Foundation
import RVFStore
import SystemPackage

/// A search that looks at every row, beside reading the same bytes from memory; both from the page cache, on one thread.
func searchFigures(_ bench: Bench) throws {
    let sizes = [(bench.choose(20_000, else: 100_000), 384), (bench.choose(100_000, else: 1_000_000), 128)]
    for (rowCount, dimension) in sizes {
        let path = bench.path("search.rvf")
        defer { bench.remove(path) }
        _ = try load(path, rowCount: rowCount, dimension: dimension, batchRowCount: 100_000)
        let snapshot = try StoreReader(at: path).snapshot()
        let query = components(dimension)
        // The first search checks every hash and learns every id.
        _ = try snapshot.nearest(to: query, limit: 10)
        let file = try Data(contentsOf: URL(fileURLWithPath: path.string), options: .alwaysMapped)
        let byteCount = Double(rowCount * (8 + 4 * dimension))
        var sum: UInt64 = 0
        let (floor, ours) = try compare(
            batches: bench.choose(5, else: 15), calls: 1,
            floor: { sum &+= sumOfWords(file, byteCount: Int(byteCount)) },
            ours: { sum &+= try snapshot.nearest(to: query, limit: 10).reduce(0) { $0 &+ $1.id } })
        guard sum != 0 else { throw FigureError("nothing was read") }
        row(
            "nearest 10 of \(grouped(rowCount)) × \(dimension): reading the same bytes", rate(byteCount, floor.median),
            rate(byteCount, ours.median), String(format: "%.2f", floor.median / ours.median), "")
    }
}

private func rate(_ byteCount: Double, _ seconds: Double) -> String {
    String(format: "%.1f GB/s", byteCount / seconds / 1e9)
}

/// Reads so many bytes and does the least with them.
private func sumOfWords(_ data: Data, byteCount: Int) -> UInt64 {
    data.withUnsafeBytes { bytes in
        var sums = SIMD8<UInt64>.zero
        for offset in stride(from: 0, to: min(bytes.count, byteCount) & ~63, by: 64) {
            sums &+= bytes.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt64>.self)
        }
        return sums.wrappedSum()
    }
}
