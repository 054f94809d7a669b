import RVFHost
import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Reading beside writers")
struct ReaderTests {
    private let scratch = Scratch()

    @Test("of two rows with one id the later one wins, and deleted ids are not there", arguments: [ReadMode.mapped, .positional])
    func laterRowWins(_ mode: ReadMode) throws {
        var peer = ReferenceWriter(dimension: 3)
        // Twice within a segment, across segments, and not in rising order.
        peer.ingest(rows([9, 4, 7], dimension: 3) + rows([4], dimension: 3, version: 1))
        peer.ingest(rows([7, 2], dimension: 3, version: 2))
        peer.delete([9, 12])
        var options = ReaderOptions()
        options.readMode = mode
        let reader = try StoreReader(at: try scratch.write(peer.file), options: options)
        let snapshot = reader.snapshot()
        let expected = dictionary(rows([4], dimension: 3, version: 1) + rows([7, 2], dimension: 3, version: 2))
        #expect(try reader.rows() == expected)
        #expect(try snapshot.ids() == [2, 4, 7])
        for (id, vector) in expected { #expect(try snapshot.vector(id: id) == vector) }
        for id in [9, 12, 0, .max] as [UInt64] { #expect(try snapshot.vector(id: id) == nil) }
        let sum = try snapshot.withVector(id: 7) { vector in (0..<vector.count).reduce(0) { $0 + vector[$1] } }
        #expect(sum == expected[7]?.reduce(0, +))
        #expect(try snapshot.withVector(id: 7) { $0.rawBytes.byteCount } == 12)
    }

    @Test("rows come in the order of the file, each id once")
    func order() throws {
        var peer = ReferenceWriter(dimension: 1)
        peer.ingest(rows([5, 3, 8], dimension: 1))
        peer.ingest(rows([3, 1], dimension: 1))
        let snapshot = try StoreReader(at: try scratch.write(peer.file)).snapshot()
        var seen: [UInt64] = []
        try snapshot.forEachRow { id, _ in seen.append(id) }
        #expect(seen == [5, 8, 3, 1])
    }

    @Test("a snapshot stays as it is through commits, a replaced file and the writer's end", arguments: [ReadMode.mapped, .positional])
    func snapshotStays(_ mode: ReadMode) throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 3)
        try writer.append(batch(rows(1...5, dimension: 3)))
        var options = ReaderOptions()
        options.readMode = mode
        let reader = try StoreReader(at: path, options: options)
        let old = reader.snapshot()
        try writer.append(batch(rows(3...9, dimension: 3, version: 1)))
        #expect(try reader.refresh())
        let new = reader.snapshot()
        try writer.close()
        var other = ReferenceWriter(dimension: 4)
        other.ingest(rows(50...60, dimension: 4))
        try FileManagement.rename(try scratch.write(other.file, to: "other"), to: path)
        #expect(try reader.refresh())

        #expect(try old.ids() == [1, 2, 3, 4, 5])
        #expect(try old.vector(id: 4) == rows([4], dimension: 3)[0].1)
        #expect(try new.ids() == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(try new.vector(id: 4) == rows([4], dimension: 3, version: 1)[0].1)
        #expect(reader.snapshot().dimension == 4)
        #expect(try reader.snapshot().ids() == Array(50...60))
    }

    @Test("a refresh says whether anything changed, and follows commit after commit")
    func refresh() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 2)
        let reader = try StoreReader(at: path)
        var expected: [UInt64: [Float]] = [:]
        for commit in 1...40 as ClosedRange<UInt64> {
            #expect(try !reader.refresh())
            let distinct = dictionary(rows([commit % 7, commit], dimension: 2, version: Float(commit)))
            try writer.append(distinct.map { Row(id: $0.key, vector: $0.value) })
            expected.merge(distinct) { $1 }
            #expect(try reader.refresh())
            #expect(reader.snapshot().epoch == UInt32(commit))
            // Also where snapshots between were never looked into.
            if commit % 3 == 0 { #expect(try reader.rows() == expected) }
        }
        #expect(try reader.snapshot().ids() == expected.keys.sorted())
    }

    @Test("a commit under way is not seen before its manifest's header stands")
    func underWay() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append(batch(rows([1], dimension: 2)))
        let before = try scratch.read()
        try writer.append(batch(rows([2], dimension: 2)))
        try writer.close()
        let after = try scratch.read()
        let header = try ReferenceStore(after).manifestOffset
        var unpublished = after
        for byte in header..<(header + 64) { unpublished[byte] = 0 }

        try scratch.write(before)
        let reader = try StoreReader(at: path)
        try scratch.append(unpublished[before.count...])
        #expect(try !reader.refresh())
        #expect(try !reader.refresh())
        #expect(try reader.snapshot().ids() == [1])
        // The header comes without the file becoming any longer.
        try scratch.write(after)
        #expect(try reader.refresh())
        #expect(try reader.snapshot().ids() == [1, 2])
    }

    @Test("a refresh after the file went away, or became no store, keeps the state and says why")
    func gone() throws {
        let path = scratch("data.rvf")
        try StoreWriter.create(at: path, dimension: 2).close()
        let reader = try StoreReader(at: path)
        try FileManagement.rename(try scratch.write([], to: "empty"), to: path)
        #expect(storeError { () throws(StoreError) in try reader.refresh() } == .notAStore(path, .empty))
        try FileManagement.remove(path)
        #expect(
            storeError { () throws(StoreError) in try reader.refresh() }
                == .system(.examine, path, .noSuchFileOrDirectory))
        #expect(reader.snapshot().dimension == 2)
    }

    @Test("many threads may use one snapshot")
    func threads() async throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 3)
        let new = rows(1...500, dimension: 3)
        try writer.append(batch(new.shuffled()))
        try writer.close()
        let reader = try StoreReader(at: path)
        let expected = dictionary(new)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (1...500 as ClosedRange<UInt64>).allSatisfy { id in
                        (try? reader.snapshot().vector(id: (id + UInt64(task) * 61) % 500 + 1))
                            == expected[(id + UInt64(task) * 61) % 500 + 1]
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    @Test("a file that cannot be mapped is read by calls")
    func unmappable() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 3)
        try writer.append(batch(rows(1...5, dimension: 3)))
        let script = DiskScript()
        script.set { $0.canMap = false }
        let reader = try StoreReaderCore(host: RecordingHost(script: script), path: path, options: ReaderOptions())
        #expect(!reader.snapshot.source.isMapped)
        #expect(try reader.snapshot.liveIDs(onDamage: .refuse) == [1, 2, 3, 4, 5])
    }
}
