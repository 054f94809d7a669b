import FigureSupport
import RVFStore
import SystemPackage

/// A way to make a commit durable, and how often that syncs.
private struct Way {
    var name: String
    var durability: CommitOptions.Durability
    var syncs: Int
}

private let ways = [
    Way(name: "two syncs", durability: .ordered, syncs: 2)
]

private let dimension = 384

/// Durable commits of several sizes beside bare writes, LMDB and SQLite.
func commitFigures(_ bench: Bench) throws {
    let sizes = [(1, 40, 300), (100, 20, 100), (1000, 10, 40), (10_000, 5, 15)]
    for (rowCount, short, whole) in sizes {
        for way in ways {
            try commitFigures(bench, way, rowCount: rowCount, rounds: bench.choose(short, else: whole))
        }
    }
}

private func commitFigures(_ bench: Bench, _ way: Way, rowCount: Int, rounds: Int) throws {
    let paths = ["bare", "store.rvf", "lmdb", "sqlite"].map { bench.path($0) }
    defer { paths.forEach(bench.remove) }
    let bare = try BareFile(paths[0])
    var store = try StoreWriter.create(at: paths[1], dimension: dimension)
    let lmdb = try LMDBStore(paths[2])
    let sqlite = try SQLiteStore(paths[3])
    let components = components(rowCount * dimension)
    var bytes = [UInt8](repeating: 7, count: 1 << 20)
    var samples = [Sample](repeating: Sample(), count: 4)
    var end = Int(store.snapshot().fileByteCount)
    for round in 0..<rounds {
        let ids = (0..<rowCount).map { UInt64(round * rowCount + $0 + 1) }
        samples[1].values.append(
            try timed { try store.append(ids: ids, components: components, options: .init(durability: way.durability)) })
        // As many bytes as that commit's rows, headers and manifest, without what it merged by the way.
        let snapshot = store.snapshot()
        let newEnd = Int(snapshot.fileByteCount)
        let manifestByteCount = newEnd - Int(snapshot.manifestOffset)
        let rowByteCount = rowCount * (8 + 4 * dimension) + 70
        let byteCount = min(newEnd - end, rowByteCount + manifestByteCount)
        end = newEnd
        if bytes.count < byteCount { bytes = [UInt8](repeating: 7, count: byteCount) }
        samples[0].values.append(
            try timed {
                try bareCommit(bytes, count: byteCount, heldBack: manifestByteCount, to: bare, syncs: way.syncs)
            })
        samples[2].values.append(try timed { try lmdb.commit(ids, components) })
        samples[3].values.append(try timed { try sqlite.commit(ids, components) })
    }
    try store.close()
    let name = "commit of \(grouped(rowCount)) \(rowCount == 1 ? "row" : "rows"), \(way.name)"
    let ours = samples[1]
    line("\(name): bare writes and syncs", floor: samples[0].median, ours: ours.median, "≥ 0.8")
    if rounds >= 100 { line("… 99th percentile", floor: samples[0].quantile(0.99), ours: ours.quantile(0.99)) }
    line("\(name): LMDB", floor: samples[2].median, ours: ours.median)
    line("\(name): SQLite", floor: samples[3].median, ours: ours.median)
}

/// All bytes but the header of the manifest, sync, that header, sync; or all bytes, sync.
private func bareCommit(_ bytes: [UInt8], count: Int, heldBack: Int, to file: BareFile, syncs: Int) throws {
    try bytes.withUnsafeBytes { try file.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    try file.syncData()
    guard syncs > 1 else { return }
    try bytes.withUnsafeBytes {
        try file.write(UnsafeRawBufferPointer(rebasing: $0[..<64]), at: file.byteCount - heldBack)
    }
    try file.syncData()
}
