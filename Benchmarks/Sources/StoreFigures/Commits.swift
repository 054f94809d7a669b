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
    Way(name: "two syncs", durability: .ordered, syncs: 2),
    Way(name: "one sync", durability: .singleSync, syncs: 1),
]

private let dimension = 384

/// Durable commits of several sizes beside bare writes, LMDB and SQLite.
func commitFigures(_ bench: Bench) throws {
    let sizes = [(1, 40, 300), (100, 20, 100), (1000, 10, 40), (10_000, 5, 15)]
    for (rowCount, short, whole) in sizes {
        // A larger commit syncs twice whatever is asked for.
        for way in ways where way.syncs > 1 || rowCount <= 100 {
            try commitFigures(bench, way, rowCount: rowCount, rounds: bench.choose(short, else: whole))
        }
    }
}

/// What is compared, and the rows that each commit of it takes.
private final class Contestants {
    private let bare: BareFile
    var store: StoreWriter
    private let lmdb: LMDBStore
    private let sqlite: SQLiteStore
    private let way: Way
    private let components: [Float]
    private let bytes: [UInt8]
    /// How long a manifest was that the store wrote.
    var manifestByteCount = 256

    init(_ paths: [FilePath], _ way: Way, rowCount: Int) throws {
        bare = try BareFile(paths[0])
        store = try StoreWriter.create(at: paths[1], dimension: dimension)
        lmdb = try LMDBStore(paths[2])
        sqlite = try SQLiteStore(paths[3])
        self.way = way
        components = StoreFigures.components(rowCount * dimension)
        bytes = [UInt8](repeating: 7, count: rowCount * (8 + 4 * dimension) + (1 << 17))
    }

    func commit(_ contestant: Int, _ ids: [UInt64]) throws {
        switch contestant {
        case 0:
            // As many bytes as the commit's rows, headers and manifest, without what is merged by the way.
            let byteCount = ids.count * (8 + 4 * dimension) + 70 + manifestByteCount
            try bareCommit(bytes, count: byteCount, heldBack: manifestByteCount, to: bare, syncs: way.syncs)
        case 1: try store.append(ids: ids, components: components, options: CommitOptions(durability: way.durability))
        case 2: try lmdb.commit(ids, components)
        default: try sqlite.commit(ids, components)
        }
    }
}

private func commitFigures(_ bench: Bench, _ way: Way, rowCount: Int, rounds: Int) throws {
    let paths = ["bare", "store.rvf", "lmdb", "sqlite"].map { bench.path($0) }
    defer { paths.forEach(bench.remove) }
    let contestants = try Contestants(paths, way, rowCount: rowCount)
    var samples = [Sample](repeating: Sample(), count: paths.count)
    for round in 0..<rounds {
        let ids = (0..<rowCount).map { UInt64(round * rowCount + $0 + 1) }
        // Whoever syncs after somebody else has a little of the other's to sync; so everybody comes after everybody.
        let step = [1, 3][round / paths.count % 2]
        for turn in paths.indices {
            let contestant = (round + step * turn) % paths.count
            samples[contestant].values.append(try timed { try contestants.commit(contestant, ids) })
        }
        let snapshot = contestants.store.snapshot()
        contestants.manifestByteCount = Int(snapshot.fileByteCount - snapshot.manifestOffset)
    }
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
