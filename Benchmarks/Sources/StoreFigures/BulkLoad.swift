import FigureSupport
import RVFStore
import SystemPackage

private let dimension = 128

/// A million rows without a sync between, beside sequential writes of the same bytes; each load in a fresh process.
func bulkLoadFigures(_ bench: Bench) throws {
    let rowCount = bench.choose(200_000, else: 1_000_000)
    let name = "load of \(grouped(rowCount)) × \(dimension)"
    try bulkLoad(bench, "ingest", rowCount, batchRowCount: 1000, "\(name), streamed", ("≥ 0.6", "≤ 128 MB"))
    for batchRowCount in [1000, 10_000] {
        let name = "\(name), \(grouped(batchRowCount)) rows a commit"
        try bulkLoad(bench, "load", rowCount, batchRowCount: batchRowCount, name, ("", "≤ 128 MB"))
    }
}

private func bulkLoad(
    _ bench: Bench, _ role: String, _ rowCount: Int, batchRowCount: Int, _ name: String,
    _ targets: (speed: String, memory: String)
) throws {
    var (floor, ours, memory) = (Sample(), Sample(), Sample())
    let path = bench.path("bulk.rvf")
    for round in 0..<bench.choose(4, else: 8) {
        for isOurs in [round % 2 == 0, round % 2 != 0] {
            if isOurs {
                let result = try roleResult([role, path.string, "\(rowCount)", "\(dimension)", "\(batchRowCount)"])
                ours.values.append(result[0])
                memory.values.append(result[1])
            } else {
                floor.values.append(try timed { try writeSequentially(rowCount * (8 + 4 * dimension), to: path) })
            }
            bench.remove(path)
        }
    }
    line("\(name): sequential writes", floor: floor.median, ours: ours.median, targets.speed)
    row("… most memory of the process", "", megabytes(Int(memory.longest)), "", targets.memory)
}

/// A store of rows whose ids rise from 1, as a stream of batches.
func ingest(_ path: FilePath, rowCount: Int, dimension: Int, batchRowCount: Int) throws -> Double {
    let components = components(batchRowCount * dimension)
    return try timed {
        var writer = try StoreWriter.create(at: path, dimension: dimension)
        var options = IngestOptions()
        options.durability = .none
        var first = 0
        try writer.ingest(options: options) {
            guard first < rowCount else { return nil }
            defer { first += batchRowCount }
            return IngestBatch(
                ids: (first..<(first + batchRowCount)).map { UInt64($0 + 1) }, components: components)
        }
        try writer.close()
    }
}

/// The id of a row in the order of the file: rising from 1, or any of 64 bits, no two alike.
func rowID(_ number: Int, isScattered: Bool) -> UInt64 {
    guard isScattered else { return UInt64(number + 1) }
    // One step from a state of its own: what the generator does to a state can be undone, so no two come to one id.
    var generator = SplitMix(state: UInt64(number))
    return generator.next()
}

/// A store of rows whose ids rise from 1, or are scattered.
func load(
    _ path: FilePath, rowCount: Int, dimension: Int, batchRowCount: Int, isScattered: Bool = false
) throws -> Double {
    let components = components(min(batchRowCount, rowCount) * dimension)
    return try timed {
        var writer = try StoreWriter.create(at: path, dimension: dimension)
        var first = 0
        while first < rowCount {
            let count = min(batchRowCount, rowCount - first)
            let ids = (first..<(first + count)).map { rowID($0, isScattered: isScattered) }
            let part = count == batchRowCount ? components : Array(components.prefix(count * dimension))
            try writer.append(ids: ids, components: part, options: CommitOptions(durability: .none))
            first += count
        }
        try writer.sync()
        try writer.close()
    }
}
