import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Checkpoints beside other writers")
struct CheckpointPeerTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    private func make(_ source: String = "queue", rowCount: UInt64 = 20) throws -> [UInt8] {
        var writer = try StoreWriter.create(at: path, dimension: 3)
        var transaction = Transaction()
        transaction.upsert(batch(rows(1...rowCount, dimension: 3)))
        transaction.setCheckpoint(source: source, count: rowCount, offset: [1])
        try writer.commit(transaction)
        try writer.close()
        defer { try? FileManagement.remove(path) }
        return try scratch.read()
    }

    private func entry(in file: [UInt8]) throws -> ReferenceStore.Entry {
        try #require(ReferenceStore(file).entries.first { $0.type == 0xF0 })
    }

    @Test("what another store says of itself counts for nothing here, nor do bytes of another kind, and those are kept")
    func foreign() throws {
        let other = try make()
        let place = try entry(in: other)
        let copied = Array(other[(place.offset + 64)..<(place.offset + 64 + place.length)])
        let another = Array("another implementation's segment of the same type, long enough to be looked at twice or so".utf8)
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows(1...20, dimension: 3))
        peer.segment(0xF0, copied)
        peer.segment(0xF0, another)
        peer.segment(0xF0, [1])
        peer.commit()
        try scratch.write(peer.file)
        #expect(try StoreReader(at: path).snapshot().checkpoints.isEmpty)
        var writer = try StoreWriter.open(at: path)
        var transaction = Transaction()
        transaction.setCheckpoint(source: "queue", count: 2, offset: [])
        try writer.commit(transaction)
        try writer.compact()
        try writer.close()
        let file = try scratch.read()
        let kept = try ReferenceStore(file).entries.filter { $0.type == 0xF0 }.map {
            Array(file[($0.offset + 64)..<($0.offset + 64 + $0.length)])
        }
        #expect(kept.count == 3 && kept.contains(another) && kept.contains([1]) && !kept.contains(copied))
        #expect(try StoreReader(at: path).snapshot().checkpoints == [Checkpoint(source: "queue", count: 2)])
    }

    @Test("a peer that deletes, appends and compacts again and again takes nothing of it")
    func longLife() throws {
        var file = try make()
        var highest: UInt64 = 20
        for round in 1...5 as ClosedRange<UInt64> {
            var peer = try ReferenceWriter(reopening: file)
            peer.delete([round])
            peer.ingest(rows([1000 + round], dimension: 3), witnessed: true)
            file = try round % 2 == 0 ? ReferenceWriter.compacting(peer.file).file : peer.file
            try scratch.write(file)
            #expect(try StoreReader(at: path).snapshot().checkpoint(source: "queue")?.count ?? 0 <= highest)
            var writer = try StoreWriter.open(at: path)
            highest += 1
            var transaction = Transaction()
            transaction.upsert(batch(rows([highest], dimension: 3)))
            transaction.setCheckpoint(source: "queue", count: highest, offset: [])
            try writer.commit(transaction)
            if round == 3 { try writer.compact() }
            #expect(writer.snapshot().segments.count { $0.type.rawValue == 0xF0 } == 1)
            try writer.close()
            file = try scratch.read()
        }
        try scratch.write(ReferenceWriter.compacting(file).file)
        let count = try #require(try StoreReader(at: path).snapshot().checkpoint(source: "queue")?.count)
        #expect(count == highest - 1 || count == highest)
        let check = try StoreVerification.run(at: path)
        #expect(check.problems.filter { $0.severity > .warning } == [])
    }

    @Test("an operator who went back is not overtaken by a peer's compaction")
    func restored() throws {
        try scratch.write(make())
        var writer = try StoreWriter.open(at: path)
        var transaction = Transaction()
        transaction.restoreCheckpoint(source: "queue", count: 4, offset: [])
        transaction.upsert(batch(rows([99], dimension: 3)))
        try writer.commit(transaction)
        try writer.close()
        try scratch.write(ReferenceWriter.compacting(scratch.read()).file)
        #expect(try StoreReader(at: path).snapshot().checkpoint(source: "queue")?.count == 4)
    }

    @Test("segments of checkpoints with any bytes changed are not believed under a peer's manifest", arguments: 0..<2 as Range<UInt64>)
    func changed(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let file = try make()
        var peer = try ReferenceWriter(reopening: file)
        peer.ingest(rows([50], dimension: 3))
        let place = try entry(in: peer.file)
        for _ in 0..<60 {
            var image = peer.file
            image[place.offset + 64 + Int.random(in: 0..<place.length, using: &generator)] ^= 1 << UInt8.random(
                in: 0..<8, using: &generator)
            try scratch.write(image)
            #expect(try StoreReader(at: path).snapshot().checkpoints.isEmpty, "seed \(seed)")
        }
    }

    @Test("many that a manifest names are looked at without end being out of sight")
    func many() throws {
        let file = try make()
        let place = try entry(in: file)
        var payload = Array(file[(place.offset + 64)..<(place.offset + 64 + place.length)])
        var peer = try ReferenceWriter(reopening: file)
        for number in 0..<3000 as Range<UInt64> {
            payload.replaceSubrange(28..<36, with: little(.max - number % 2, 8))
            peer.segment(0xF0, payload)
        }
        peer.ingest(rows([50], dimension: 3))
        try scratch.write(peer.file)
        #expect(try StoreReader(at: path).snapshot().checkpoint(source: "queue")?.count == 20)
        // Opening for writing brings the manifest back into reach, and names one.
        var writer = try StoreWriter.open(at: path)
        try writer.append(batch(rows([51], dimension: 3)))
        try writer.close()
        #expect(try ReferenceStore(at: path).entries.count { $0.type == 0xF0 } == 1)
        #expect(try StoreReader(at: path).snapshot().checkpoint(source: "queue")?.count == 20)
    }
}
