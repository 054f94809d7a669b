import FigureSupport
import Foundation
import RVFStore
import SystemPackage

private let dimension = 128

/// Row counts of the stores that are opened; the largest takes 5.2 GB.
private func sizes(_ bench: Bench) -> [Int] {
    let sizes = [10_000, 100_000, 1_000_000]
    if bench.isShort { return Array(sizes.dropLast()) }
    return bench.isLong ? sizes + [10_000_000] : sizes
}

/// What a reader costs at its opening, and its first and later reads.
func openingFigures(_ bench: Bench) throws {
    for rowCount in sizes(bench) {
        try openingFigures(bench, rowCount: rowCount, isScattered: false)
    }
    // The largest of those that every run measures.
    try openingFigures(bench, rowCount: bench.choose(100_000, else: 1_000_000), isScattered: true)
}

private func openingFigures(_ bench: Bench, rowCount: Int, isScattered: Bool) throws {
    let path = bench.path("open.rvf")
    defer { bench.remove(path) }
    _ = try load(
        path, rowCount: rowCount, dimension: dimension, batchRowCount: 100_000, isScattered: isScattered)
    let arguments = ["open", path.string, "\(rowCount)", isScattered ? "1" : "0"]
    // The first process finds part of the file written only just now.
    _ = try roleResult(arguments)
    var samples = [Sample](repeating: Sample(), count: 5)
    for _ in 0..<5 {
        let result = try roleResult(arguments)
        for index in samples.indices { samples[index].values.append(result[index]) }
    }
    let name = "\(grouped(rowCount)) × \(dimension)\(isScattered ? ", scattered ids" : "")"
    row("\(name): open for reading", "", duration(samples[0].median), "", "≤ 2 ms")
    row("… anonymous memory for that", "", megabytes(Int(samples[1].median)), "", "≤ 4 MB")
    row("… first row by its id", "", duration(samples[2].median), "", "")
    row("… anonymous memory for that", "", megabytes(Int(samples[3].median)), "", "")
    row("… further rows by random ids", "", duration(samples[4].median), "", isScattered ? "" : "≤ 1 µs")
}

/// Seconds and bytes to open, seconds and bytes more for the first row, seconds for each of many others.
func openStore(_ path: FilePath, rowCount: Int, isScattered: Bool) throws -> [Double] {
    // The first look at one's own memory costs memory.
    _ = ownMemory("RssAnon")
    let before = ownMemory("RssAnon")
    let start = now()
    let reader = try StoreReader(at: path)
    let opened = now()
    let atOpen = ownMemory("RssAnon")
    let beginning = now()
    let snapshot = reader.snapshot()
    guard try snapshot.vector(id: rowID(rowCount / 2, isScattered: isScattered)) != nil else { throw FigureError("a row is missing") }
    let first = now() - beginning
    let atFirst = ownMemory("RssAnon")
    var generator = SplitMix()
    let ids = (0..<20_000).map { _ in
        rowID(Int.random(in: 0..<rowCount, using: &generator), isScattered: isScattered)
    }
    var sum: Float = 0
    let seconds = try timed {
        for id in ids {
            guard let component = try snapshot.withVector(id: id, { $0[0] }) else {
                throw FigureError("a row is missing")
            }
            sum += component
        }
    }
    guard sum.isFinite else { throw FigureError("a row is not finite") }
    return [opened - start, Double(atOpen - before), first, Double(atFirst - atOpen), seconds / Double(ids.count)]
}

/// A reader that goes along with a writer's commits of one row.
func refreshFigures(_ bench: Bench) throws {
    for rowCount in sizes(bench) {
        let path = bench.path("refresh.rvf")
        defer { bench.remove(path) }
        _ = try load(path, rowCount: rowCount, dimension: dimension, batchRowCount: 100_000)
        let reader = try StoreReader(at: path)
        _ = try reader.snapshot().vector(id: 1)
        var writer = try StoreWriter.open(at: path)
        let components = components(dimension)
        var (refresh, read, idle) = (Sample(), Sample(), Sample())
        for commit in 0..<200 {
            let id = UInt64(rowCount + commit + 1)
            try writer.append(ids: [id], components: components, options: CommitOptions(durability: .none))
            refresh.values.append(try timed { try reader.refresh() })
            read.values.append(
                try timed {
                    guard try reader.snapshot().vector(id: id) != nil else { throw FigureError("a row is missing") }
                })
            idle.values.append(try timed { try reader.refresh() })
        }
        try writer.close()
        let name = "\(grouped(rowCount)) × \(dimension)"
        row("\(name): refresh after a commit of one row", "", duration(refresh.median), "", "≤ 50 µs")
        row("… and the new row by its id", "", duration(read.median), "", "")
        row("… refresh where nothing has changed", "", duration(idle.median), "", "")
    }
}
