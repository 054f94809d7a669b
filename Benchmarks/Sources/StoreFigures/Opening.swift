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
        let path = bench.path("open.rvf")
        defer { bench.remove(path) }
        _ = try load(path, rowCount: rowCount, dimension: dimension, batchRowCount: 100_000)
        // The first process finds part of the file written only just now.
        _ = try roleResult(["open", path.string, "\(rowCount)"])
        var samples = [Sample](repeating: Sample(), count: 5)
        for _ in 0..<5 {
            let result = try roleResult(["open", path.string, "\(rowCount)"])
            for index in samples.indices { samples[index].values.append(result[index]) }
        }
        let name = "\(grouped(rowCount)) × \(dimension)"
        row("\(name): open for reading", "", duration(samples[0].median), "", "")
        row("… anonymous memory for that", "", megabytes(Int(samples[1].median)), "", "")
        row("… first row by its id", "", duration(samples[2].median), "", "")
        row("… anonymous memory for that", "", megabytes(Int(samples[3].median)), "", "")
        row("… further rows by random ids", "", duration(samples[4].median), "", "")
    }
}

/// Seconds and bytes to open, seconds and bytes more for the first row, seconds for each of many others.
func openStore(_ path: FilePath, rowCount: Int) throws -> [Double] {
    // The first look at one's own memory costs memory.
    _ = ownMemory("RssAnon")
    let before = ownMemory("RssAnon")
    let start = now()
    let reader = try StoreReader(at: path)
    let opened = now()
    let atOpen = ownMemory("RssAnon")
    let beginning = now()
    let snapshot = reader.snapshot()
    guard try snapshot.vector(id: UInt64(rowCount / 2)) != nil else { throw FigureError("a row is missing") }
    let first = now() - beginning
    let atFirst = ownMemory("RssAnon")
    var generator = SplitMix()
    let ids = (0..<20_000).map { _ in UInt64.random(in: 1...UInt64(rowCount), using: &generator) }
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
        row("\(name): refresh after a commit of one row", "", duration(refresh.median), "", "")
        row("… and the new row by its id", "", duration(read.median), "", "")
        row("… refresh where nothing has changed", "", duration(idle.median), "", "")
    }
}
