import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("A metric that other writers forget")
struct MetricTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    private func make(_ metric: Metric) throws -> [UInt8] {
        var writer = try StoreWriter.create(at: path, dimension: 3, metric: metric)
        try writer.append(batch(rows(1...9, dimension: 3)))
        try writer.append(batch(rows(20...25, dimension: 3)))
        try writer.close()
        return try scratch.read()
    }

    @Test("it is known after a peer appended or compacted, and our next commit says it again", arguments: [1, 2] as [UInt8])
    func kept(_ raw: UInt8) throws {
        let metric = Metric(rawValue: raw)
        let file = try make(metric)
        var peer = try ReferenceWriter(reopening: file)
        peer.ingest(rows([50], dimension: 3), witnessed: true)
        for bytes in [peer.file, try ReferenceWriter.compacting(peer.file).file] {
            #expect(try ReferenceStore(bytes).metric == 0)
            try scratch.write(bytes)
            #expect(try StoreReader(at: path).snapshot().metric == metric)
            var writer = try StoreWriter.open(at: path)
            try writer.append(batch(rows([60], dimension: 3)))
            #expect(try ReferenceStore(at: path).metric == raw)
            try writer.compact()
            try writer.close()
            let reference = try ReferenceStore(at: path)
            #expect(reference.metric == raw && reference.entries.count { $0.type == 0xF2 } == 1)
            #expect(try StoreReader(at: path).snapshot().metric == metric)
        }
    }

    @Test("one segment is enough, and the default needs none")
    func once() throws {
        _ = try make(.cosine)
        #expect(try StoreReader(at: path).snapshot().segments.count { $0.type.rawValue == 0xF2 } == 1)
        try FileManagement.remove(path)
        _ = try make(.squaredL2)
        #expect(try StoreReader(at: path).snapshot().segments.allSatisfy { $0.type == .vectors })
    }

    @Test("a store that a peer made keeps its metric from our compaction on, and a child its parent's")
    func fromPeer() throws {
        var peer = ReferenceWriter(dimension: 3, metric: 2)
        peer.ingest(rows(1...9, dimension: 3))
        try scratch.write(peer.file)
        var writer = try StoreWriter.open(at: path)
        try writer.compact()
        try writer.snapshot().derive(to: scratch("child.rvf"))
        try writer.close()
        for name in ["data.rvf", "child.rvf"] {
            var later = try ReferenceWriter(reopening: try scratch.read(name))
            later.ingest(rows([70], dimension: 3))
            try scratch.write(later.file, to: name)
            #expect(try StoreReader(at: scratch(name)).snapshot().metric == .cosine)
        }
    }

    @Test("a compaction carries the metric, and does not call it another writer's")
    func compaction() throws {
        let path = scratch("own.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 2, metric: .cosine)
        try writer.append(ids: [1], components: [1, 2])
        for _ in 0..<2 { #expect(try writer.compact().carriedSegmentCount == 0) }
        #expect(try StoreReader(at: path).snapshot().metric == .cosine)
    }

    @Test("what another store says of itself, or damage, is not believed")
    func foreign() throws {
        let file = try make(.cosine)
        let store = try ReferenceStore(file)
        let entry = try #require(store.entries.first { $0.type == 0xF2 })
        let payload = Array(file[(entry.offset + 64)..<(entry.offset + 64 + entry.length)])
        for (change, fileID, metric) in [
            (nil, store.fileID, Metric.cosine), (nil, [UInt8](1...16), .squaredL2), (3, store.fileID, .squaredL2),
            (10, store.fileID, .squaredL2),
        ] as [(Int?, [UInt8]?, Metric)] {
            var peer = ReferenceWriter(dimension: 3, fileID: fileID)
            var copy = payload
            if let change { copy[change] ^= 1 }
            peer.segment(0xF2, copy)
            peer.ingest(rows(1...3, dimension: 3))
            try scratch.write(peer.file)
            #expect(try StoreReader(at: path).snapshot().metric == metric)
        }
    }
}
