import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Writing")
struct WriterTests {
    private let scratch = Scratch()

    private func expectBoth(_ path: FilePath, hold expected: [UInt64: [Float]], _ note: String = "") throws {
        let reference = try ReferenceStore(at: path)
        #expect(reference.rows == expected, "reference \(note)")
        #expect(reference.total == UInt64(reference.distinctCount), "\(note)")
        #expect(reference.manifestOffset % 64 == 0, "\(note)")
        let reader = try StoreReader(at: path)
        #expect(try reader.rows() == expected, "\(note)")
        #expect(reader.snapshot().liveCount == expected.count, "\(note)")
        #expect(reader.snapshot().manifestOffset == UInt64(reference.manifestOffset), "\(note)")
        #expect(reader.snapshot().rejectedManifests.isEmpty, "\(note)")
    }

    @Test("a new store is one manifest of 162 bytes that the reference runtime reads")
    func create() throws {
        let path = scratch("data.rvf")
        try StoreWriter.create(at: path, dimension: 128, metric: .cosine).close()
        #expect(try scratch.read().count == 162)
        let reference = try ReferenceStore(at: path)
        #expect(reference.dimension == 128)
        #expect(reference.metric == 2)
        #expect(reference.epoch == 0)
        #expect(reference.fileID?.allSatisfy { $0 == 0 } == false)
        let snapshot = try StoreReader(at: path).snapshot()
        #expect(snapshot.metric == .cosine)
        #expect(snapshot.identity?.parentID == [UInt8](repeating: 0, count: 16))
        #expect(snapshot.identity?.lineageDepth == 0)
        #expect(try snapshot.ids().isEmpty)
        #expect(scratch.names == ["data.rvf"])
    }

    @Test("rows that were appended are read by the reference runtime and by us, commit after commit")
    func append() throws {
        let path = scratch("data.rvf")
        var expected: [UInt64: [Float]] = [:]
        var writer = try StoreWriter.create(at: path, dimension: 5)
        for commit in 1...20 as ClosedRange<UInt64> {
            let new = rows((commit * 10)...(commit * 10 + commit), dimension: 5, version: Float(commit))
            try writer.append(batch(new))
            expected.merge(dictionary(new)) { $1 }
            try expectBoth(path, hold: expected, "after commit \(commit)")
            #expect(writer.snapshot().epoch == UInt32(commit))
            #expect(try writer.snapshot().ids() == expected.keys.sorted())
        }
        try writer.close()
        var again = try StoreWriter.open(at: path)
        let new = rows(1...3, dimension: 5)
        try again.append(ids: new.map(\.0), components: new.flatMap(\.1))
        expected.merge(dictionary(new)) { $1 }
        try again.close()
        try expectBoth(path, hold: expected)
        let types = Set(try StoreReader(at: path).snapshot().segments.map(\.type))
        #expect(types == [.vectors])
    }

    @Test("a row whose id is there replaces it, and one whose id was deleted is there again")
    func replaceAndRevive() throws {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows(1...10, dimension: 3), witnessed: true)
        peer.delete([2, 3, 9])
        let path = try scratch.write(peer.file)
        var writer = try StoreWriter.open(at: path)
        try writer.append(batch(rows([3, 5, 11], dimension: 3, version: 1)))
        var expected = dictionary(rows([1, 4, 6, 7, 8, 10], dimension: 3) + rows([3, 5, 11], dimension: 3, version: 1))
        try expectBoth(path, hold: expected)
        #expect(writer.snapshot().deletedIDs == [2, 9])
        #expect(writer.snapshot().totalCount == 11)
        try writer.append(batch(rows([2, 9], dimension: 3, version: 2)))
        expected.merge(dictionary(rows([2, 9], dimension: 3, version: 2))) { $1 }
        try expectBoth(path, hold: expected)
        // What others named goes on being named, but for superseded manifests and witnesses.
        #expect(writer.snapshot().segments.map(\.type) == [.vectors, .journal, .vectors, .vectors])
    }

    @Test("rows that cannot be taken are named, and nothing is written")
    func invalidRows() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 2)
        let before = try scratch.read()
        func refused(_ rows: [Row]) -> StoreError? { storeError { () throws(StoreError) in try writer.append(rows) } }
        #expect(refused([Row(id: 1, vector: [1, 2]), Row(id: 7, vector: [1])])
            == .invalidRow(path, index: 1, id: 7, .dimension(expected: 2, found: 1)))
        #expect(refused([Row(id: 7, vector: [1, .nan])]) == .invalidRow(path, index: 0, id: 7, .notFinite(component: 1)))
        #expect(refused([Row(id: 7, vector: [-.infinity, 0])]) == .invalidRow(path, index: 0, id: 7, .notFinite(component: 0)))
        let twice = [5, 9, 5, 9].map { Row(id: $0, vector: [0, 0]) }
        #expect(refused(twice) == .invalidRow(path, index: 2, id: 5, .repeatedID(firstIndex: 0)))
        #expect(storeError { () throws(StoreError) in try writer.append(ids: [1, 2], components: [1, 2, 3]) }
            == .invalidRow(path, index: 1, id: 2, .dimension(expected: 2, found: 1)))
        #expect(storeError { () throws(StoreError) in try writer.append(ids: [1], components: [1, 2, 3]) }
            == .invalidRow(path, index: 0, id: 1, .dimension(expected: 2, found: 3)))
        try writer.append([])
        #expect(try scratch.read() == before)
        let isInDoubt = writer.isInDoubt
        #expect(!isInDoubt)
        try writer.append([Row(id: 7, vector: [1, 2])])
        #expect(try writer.snapshot().vector(id: 7) == [1, 2])
    }

    @Test("a batch larger than a segment may be is split, and read whole")
    func split() throws {
        var options = WriterOptions()
        options.limits.segmentByteCount = 200
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 4, options: options)
        let new = rows(1...100, dimension: 4)
        try writer.append(batch(new.shuffled()))
        try expectBoth(path, hold: dictionary(new))
        let segments = writer.snapshot().segments
        #expect(segments.count == 13)
        #expect(segments.allSatisfy { $0.payloadByteCount <= 200 && $0.offset % 64 == 0 })
        #expect(Set(segments.map(\.id)).count == 13)
    }

    @Test("a directory that other readers would not find is refused, and nothing is written")
    func directoryLimit() throws {
        var options = WriterOptions()
        options.limits.segmentByteCount = 20
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 1, options: options)
        let fitting = rows(1...2600, dimension: 1)
        try writer.append(batch(fitting))
        try expectBoth(path, hold: dictionary(fitting))
        let before = try scratch.read()
        guard case .limit(path, .manifest(let needed, let maximum))? = storeError({ () throws(StoreError) in
            try writer.append(batch(rows(3000...3100, dimension: 1)))
        }) else {
            Issue.record("the commit was not refused")
            return
        }
        #expect(needed > maximum && maximum == 65_472)
        #expect(try scratch.read() == before)
        let isInDoubt = writer.isInDoubt
        #expect(!isInDoubt)
    }

    @Test("dimensions that no store can have are refused", arguments: [0, -1, 65_536, .max])
    func dimensions(_ dimension: Int) {
        let path = scratch("data.rvf")
        let error = storeError { () throws(StoreError) in try StoreWriter.create(at: path, dimension: dimension).close() }
        #expect(error == .limit(path, .dimension(dimension)))
        #expect(scratch.names == [])
    }

    @Test("the largest dimension works")
    func largestDimension() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 65_535)
        let new = rows(1...3, dimension: 65_535)
        try writer.append(batch(new))
        try expectBoth(path, hold: dictionary(new))
    }
}
