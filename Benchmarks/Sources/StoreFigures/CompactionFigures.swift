import FigureSupport
import RVFStore
import SystemPackage

private let dimension = 384

/// Compaction beside a copy of the same file.
func compactionFigures(_ bench: Bench) throws {
    let rowCount = bench.choose(40_000, else: 200_000)
    for (name, passes) in [("none of the rows dead", 1), ("half of the rows dead", 2)] {
        let (master, work, copy) = (bench.path("master.rvf"), bench.path("work.rvf"), bench.path("copy"))
        defer { [master, work, copy].forEach(bench.remove) }
        var writer = try StoreWriter.create(at: master, dimension: dimension)
        let components = components(10_000 * dimension)
        for _ in 0..<passes {
            for first in stride(from: 0, to: rowCount, by: 10_000) {
                let ids = (first..<(first + 10_000)).map { UInt64($0 + 1) }
                try writer.append(ids: ids, components: components, options: CommitOptions(durability: .none))
            }
        }
        try writer.sync()
        try writer.close()
        var (floor, ours) = (Sample(), Sample())
        for round in 0..<bench.choose(4, else: 8) {
            // Both begin with a fresh copy, and both go first as often: a system that has memory to find is slower.
            for isOurs in [round % 2 == 0, round % 2 != 0] {
                try copyFile(master, to: work)
                if isOurs {
                    var writer = try StoreWriter.open(at: work)
                    ours.values.append(try timed { try writer.compact() })
                    try writer.close()
                } else {
                    floor.values.append(try timed { try copyFile(work, to: copy) })
                }
                bench.remove(work)
                bench.remove(copy)
            }
        }
        let size = megabytes(try fileByteCount(master))
        line("compaction of \(size), \(name): copy of the file", floor: floor.median, ours: ours.median, "≥ 0.5")
    }
}
