import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage
import Testing

/// Stores with metadata in the hands of peers that know nothing of it, or more.
@Suite("Metadata and peers")
struct MetadataPeerTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    /// Three ids with metadata, over a snapshot and two deltas.
    private func store() throws -> MetadataModel {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        var model = MetadataModel()
        for id in 1...3 as ClosedRange<UInt64> {
            let vector = rows([id], dimension: 2)[0].1
            let fields: [String: MetadataValue] = ["n": .int64(Int64(id)), "text": "a"]
            try writer.append([Row(id: id, vector: vector, metadata: fields)])
            model.rows[id] = vector
            model.metadata[id] = fields
        }
        var transaction = Transaction()
        transaction.setFileMetadata("mini", for: "model")
        try writer.commit(transaction)
        model.file = ["model": "mini"]
        try writer.close()
        return model
    }

    @Test("more than 64 deltas, and deltas longer than their snapshot, become a new snapshot that takes their place")
    func rollover() throws {
        var writer = try StoreWriter.create(at: path, dimension: 1)
        let reader = try StoreReader(at: path)
        var model = MetadataModel()
        var most = 0
        for round in 0..<150 {
            var transaction = Transaction()
            let id = UInt64(round % 7)
            // Later rounds are long, so that there are fewer of them.
            let text = String(repeating: "x", count: round < 100 ? 3 : 10_000) + "\(round)"
            transaction.upsert(ids: [id], components: [Float(round)])
            transaction.setMetadata("text", to: .string(text), for: id)
            try writer.commit(transaction)
            model.rows[id] = [Float(round)]
            model.metadata[id] = ["text": .string(text)]
            try reader.refresh()
            #expect(try reader.snapshot().metadata(of: id) == model.metadata[id])
            let chain = try MetadataChainBytes(at: path)
            most = max(most, chain.deltaCount)
            if round % 30 == 29 { try model.expect(at: path, "round \(round)") }
        }
        #expect(most == 64)
        let metadata = ReferenceWriter.segments(of: try scratch.read()).filter { $0.type == 7 }
        #expect(metadata.count == 150)
        let report = try StoreVerification.run(at: path)
        #expect(report.isIntact && report.warningCount == 0, "\(report.problems)")
        try writer.compact()
        try model.expect(at: path, "compacted")
        #expect(ReferenceWriter.segments(of: try scratch.read()).filter { $0.type == 7 }.count == 1)
    }

    @Test("a peer's append and its compaction leave the metadata as it was")
    func carried() throws {
        var model = try store()
        let new = rows([9], dimension: 2)
        try scratch.write(try OldPeer.ingest(new, in: try scratch.read()))
        model.rows[9] = new[0].1
        try model.expect(at: path, "appended")
        try scratch.write(try OldPeer.compact(try scratch.read()))
        try model.expect(at: path, "compacted")
        var writer = try StoreWriter.open(at: path)
        var transaction = Transaction()
        transaction.setMetadata("n", to: 7, for: 9)
        try writer.commit(transaction)
        model.metadata[9] = ["n": 7]
        try model.expect(at: path, "written again")
    }

    @Test("a delta that was never committed does not count, though a peer's compaction names it", arguments: [1, 2, 3])
    func uncommittedDelta(_ allowed: Int) throws {
        var model = try store()
        let script = DiskScript()
        var options = WriterOptions()
        options.lock.renewal = .manual
        var writer = try StoreWriterCore.open(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, options: options)
        var lost = Transaction()
        lost.setMetadata("n", to: 100, for: 1)
        lost.setMetadata("text", to: "lost", for: 2)
        script.set { $0.allowedEvents = allowed }
        #expect(storeError { () throws(StoreError) in try writer.commit(lost) } != nil)
        var kept = Transaction()
        kept.setMetadata("n", to: 50, for: 3)
        try writer.commit(kept)
        model.metadata[3]?["n"] = 50
        try model.expect(at: path, "committed")
        let compacted = try OldPeer.compact(try scratch.read())
        let peerPath = try scratch.write(compacted, to: "peer.rvf")
        try model.expect(try StoreReader(at: peerPath).snapshot(), "compacted by a peer")
        let report = try StoreVerification.run(at: peerPath)
        #expect(report.isIntact, "\(report.problems)")
        #expect(report.problems.contains { $0.severity == .note && $0.what.contains("took the place") })
        // Our next commit of metadata leaves nothing of that kind named.
        var again = try StoreWriter.open(at: peerPath)
        var last = Transaction()
        last.removeMetadata("n", for: 3)
        try again.commit(last)
        model.metadata[3]?["n"] = nil
        try model.expect(at: peerPath, "ours again")
    }

    @Test("changes that a failed sync took back do not count, though a peer's compaction names them")
    func takenBack() throws {
        var model = try store()
        let script = DiskScript()
        var options = WriterOptions()
        options.lock.renewal = .manual
        var writer = try StoreWriterCore.open(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, options: options)
        for number in 10...13 as ClosedRange<Int64> {
            var transaction = Transaction()
            transaction.setMetadata("n", to: .int64(number), for: 1)
            transaction.setMetadata("text", to: .string("lost \(number)"), for: 2)
            try writer.commit(transaction, options: CommitOptions(durability: .none))
        }
        script.set { $0.allowedEvents = 1 }
        #expect(storeError { () throws(StoreError) in try writer.sync() } != nil)
        script.set { $0.allowedEvents = nil }
        for number in 20...21 as ClosedRange<Int64> {
            var transaction = Transaction()
            transaction.setMetadata("n", to: .int64(number), for: 3)
            try writer.commit(transaction)
            model.metadata[3]?["n"] = .int64(number)
        }
        try model.expect(at: path, "committed")
        let peerPath = try scratch.write(try OldPeer.compact(try scratch.read()), to: "peer.rvf")
        try model.expect(try StoreReader(at: peerPath).snapshot(), "compacted by a peer")
    }

    @Test("what a peer deleted has no metadata, and its records go with our next commit of metadata")
    func deletedByPeer() throws {
        var model = try store()
        try scratch.write(try OldPeer.delete([2], in: try scratch.read()))
        model.delete([2])
        try model.expect(try StoreReader(at: path).snapshot(), "deleted")
        #expect(try MetadataChainBytes(at: path).records == [1, 2, 3])
        let deleted = try scratch.read()
        // A row alone does not ask for it; one that comes again does.
        var writer = try StoreWriter.open(at: path)
        try writer.append(batch(rows([8], dimension: 2)))
        #expect(try MetadataChainBytes(at: path).records == [1, 2, 3])
        try writer.append(batch(rows([2], dimension: 2)))
        model.rows.merge(dictionary(rows([2, 8], dimension: 2))) { $1 }
        try model.expect(at: path, "came again")
        try writer.close()
        // So does any change.
        try scratch.write(deleted, to: "other.rvf")
        var other = try StoreWriter.open(at: scratch("other.rvf"))
        var transaction = Transaction()
        transaction.setMetadata("n", to: 4, for: 1)
        #expect(try other.commit(transaction).metadataChanged == 2)
        #expect(try MetadataChainBytes(at: scratch("other.rvf")).records == [1, 3])
        // And a compaction.
        try scratch.write(deleted, to: "third.rvf")
        var third = try StoreWriter.open(at: scratch("third.rvf"))
        try third.compact()
        #expect(try MetadataChainBytes(at: scratch("third.rvf")).records == [1, 3])
        // Where we did not commit in between, what a peer deletes and adds again has its metadata again.
        try scratch.write(try OldPeer.ingest(rows([2], dimension: 2), reviving: true, in: deleted), to: "fourth.rvf")
        #expect(try StoreReader(at: scratch("fourth.rvf")).snapshot().metadata(of: 2) == ["n": 2, "text": "a"])
    }

    @Test("metadata of other kinds is skipped, and carried by commits and compactions")
    func otherKinds() throws {
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest(rows(1...3, dimension: 2))
        peer.segment(7, Array("another writer's own".utf8))
        let later = peer.segment(7, Array("RVFMETA\0".utf8) + [2, 0] + [UInt8](repeating: 1, count: 50))
        let newer = peer.segment(7, [1, 2, 3])
        peer.commit()
        peer.file[newer + 4] = 2
        try scratch.write(peer.file)
        #expect(try StoreReader(at: path).snapshot().metadataFields == [])
        var writer = try StoreWriter.open(at: path)
        for number in 0..<70 as Range<Int64> {
            var transaction = Transaction()
            transaction.setMetadata("n", to: .int64(number), for: 1)
            try writer.commit(transaction)
        }
        try writer.compact()
        let snapshot = try StoreReader(at: path).snapshot()
        #expect(try snapshot.metadata(of: 1) == ["n": 69])
        let payloads = try snapshot.segments.filter { $0.type == .metadata }.map { segment in
            let start = Int(segment.offset) + 64
            return Array(try scratch.read()[start..<(start + Int(segment.payloadByteCount))])
        }
        #expect(payloads.count == 4)
        #expect(payloads[0] == Array("another writer's own".utf8))
        #expect(payloads[1].prefix(10) == peer.file[(later + 64)..<(later + 74)])
        #expect(payloads[2] == [1, 2, 3])
    }
}
