import FigureSupport
import RVFStore
import SystemPackage

private let dimension = 128

/// A million rows without a sync between, beside sequential writes of the same bytes; each load in a fresh process.
func bulkLoadFigures(_ bench: Bench) throws {
    let rowCount = bench.choose(200_000, else: 1_000_000)
    let rounds = bench.choose(3, else: 5)
    for batchRowCount in [1000, 10_000, 100_000] {
        var (floor, ours, memory) = (Sample(), Sample(), Sample())
        for _ in 0..<rounds {
            let path = bench.path("bulk.rvf")
            let result = try roleResult(["load", path.string, "\(rowCount)", "\(dimension)", "\(batchRowCount)"])
            ours.values.append(result[0])
            memory.values.append(result[1])
            bench.remove(path)
            let byteCount = rowCount * (8 + 4 * dimension)
            floor.values.append(try timed { try writeSequentially(byteCount, to: path) })
            bench.remove(path)
        }
        let name = "load of \(grouped(rowCount)) × \(dimension), \(grouped(batchRowCount)) rows a commit"
        line("\(name): sequential writes", floor: floor.median, ours: ours.median, "≥ 0.6")
        row("… most memory of the process", "", megabytes(Int(memory.longest)), "", "≤ 128 MB")
    }
}

/// A store of rows whose ids rise from 1.
func load(_ path: FilePath, rowCount: Int, dimension: Int, batchRowCount: Int) throws -> Double {
    let components = components(min(batchRowCount, rowCount) * dimension)
    return try timed {
        var writer = try StoreWriter.create(at: path, dimension: dimension)
        var first = 0
        while first < rowCount {
            let count = min(batchRowCount, rowCount - first)
            let ids = (first..<(first + count)).map { UInt64($0 + 1) }
            let part = count == batchRowCount ? components : Array(components.prefix(count * dimension))
            try writer.append(ids: ids, components: part, options: CommitOptions(durability: .none))
            first += count
        }
        try writer.sync()
        try writer.close()
    }
}
