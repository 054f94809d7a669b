import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Damaged metadata")
struct MetadataDamageTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    /// Ids 1, 2 and 3, each with a commit of its own; the places of the three metadata segments.
    private func store() throws -> [Int] {
        var writer = try StoreWriter.create(at: path, dimension: 2)
        for id in 1...3 as ClosedRange<UInt64> {
            let metadata: [String: MetadataValue] = ["n": .int64(Int64(id)), "text": "some text that can be damaged"]
            try writer.append([Row(id: id, vector: rows([id], dimension: 2)[0].1, metadata: metadata)])
        }
        try writer.close()
        return try MetadataChainBytes(at: path).offsets
    }

    private func flip(_ place: Int) throws {
        var file = try scratch.read()
        file[place] ^= 0x40
        try scratch.write(file)
    }

    private func expectDamage(at offset: Int, _ error: StoreError?, _ note: String = "") {
        guard case .damaged(_, let found, let what)? = error else {
            Issue.record("not damaged but \(String(describing: error)) \(note)")
            return
        }
        #expect(found >= UInt64(offset) && what.contains("metadata"), "\(note)")
    }

    @Test("costs the metadata, named with its place, and no rows; rows can be written, metadata cannot", arguments: 0..<3)
    func rowsStay(_ which: Int) throws {
        let offset = try store()[which]
        // In the header, in the head of the payload, and in a value.
        for place in [offset + 16, offset + 64, offset + 64 + 14, offset + 140] {
            let intact = try scratch.read()
            try flip(place)
            let note = "byte \(place - offset)"
            let snapshot = try StoreReader(at: path).snapshot()
            #expect(try snapshot.ids() == [1, 2, 3], "\(note)")
            #expect(try snapshot.vector(id: 2) != nil, "\(note)")
            expectDamage(at: offset, storeError { () throws(StoreError) in try snapshot.metadata(of: 1) }, note)
            expectDamage(at: offset, storeError { () throws(StoreError) in try snapshot.ids(where: .everything) }, note)
            expectDamage(at: offset, storeError { () throws(StoreError) in try snapshot.derive(to: scratch("child.rvf")) }, note)
            #expect(!scratch.names.contains("child.rvf"))
            let report = try StoreVerification.run(at: path)
            #expect(report.problems.contains { $0.severity == .damage && $0.offset >= UInt64(offset) }, "\(note)")
            var writer = try StoreWriter.open(at: path)
            try writer.append(batch(rows([4], dimension: 2)))
            try writer.delete(ids: [3])
            var transaction = Transaction()
            transaction.setMetadata("n", to: 5, for: 4)
            expectDamage(at: offset, storeError { () throws(StoreError) in try writer.commit(transaction) }, note)
            expectDamage(at: offset, storeError { () throws(StoreError) in try writer.compact() }, note)
            #expect(try StoreReader(at: path).snapshot().ids() == [1, 2, 4], "\(note)")
            try writer.close()
            try scratch.write(intact)
        }
    }

    @Test("a segment whose hash is right and whose content is not is named with the byte in it")
    func malformed() throws {
        _ = try store()
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest(rows(1...3, dimension: 2))
        var payload = Array("RVFMETA\0".utf8) + [1, 0, 1, 0]
        payload += [UInt8](repeating: 1, count: 60)
        let offset = peer.segment(7, payload)
        peer.commit()
        try scratch.write(peer.file)
        let snapshot = try StoreReader(at: path).snapshot()
        let error = storeError { () throws(StoreError) in try snapshot.metadataFields }
        guard case .damaged(_, let place, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        // The base of a full snapshot that has none.
        #expect(place == UInt64(offset + 64 + 20))
        let report = try StoreVerification.run(at: path)
        #expect(report.problems.contains { $0.offset == place && $0.severity == .damage }, "\(report.problems)")
        #expect(try snapshot.ids() == [1, 2, 3])
    }

    @Test("segments that lie in one another are no more metadata than the file has bytes")
    func nested() throws {
        func payload(_ generation: UInt64, holding value: [UInt8]) throws -> [UInt8] {
            let record = MetadataFileRecord(key: "k\(generation)", value: .bytes(value))
            return try MetadataPayload(
                generation: generation, baseGeneration: generation == 1 ? nil : generation - 1, schema: [],
                fileRecords: [record], records: MetadataRecords()
            ).encoded()
        }
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest(rows(1...3, dimension: 2))
        var inner = ReferenceWriter(dimension: 2)
        inner.file = []
        inner.segment(7, try payload(1, holding: [UInt8](repeating: 7, count: 10_000)))
        let outer = try payload(2, holding: inner.file)
        let offset = peer.segment(7, outer)
        let place = offset + 64 + outer.count - 40 - inner.file.count
        // What is changed comes first.
        let id = ReferenceStore.u64(inner.file, 8)
        peer.entries.insert((id, place, inner.file.count - 64, 7), at: peer.entries.count - 1)
        peer.commit()
        try scratch.write(peer.file)
        let snapshot = try StoreReader(at: path).snapshot()
        expectDamage(at: offset, storeError { () throws(StoreError) in try snapshot.fileMetadata })
        #expect(try snapshot.ids() == [1, 2, 3])
        #expect(try !StoreVerification.run(at: path).isIntact)
        _ = try StoreRepair.run(from: path, to: scratch("saved.rvf"))
        #expect(try StoreReader(at: scratch("saved.rvf")).snapshot().fileMetadata.keys.sorted() == ["k1"])
    }

    @Test("changes that follow nothing do not count, and a check says so")
    func misfit() throws {
        let offsets = try store()
        let file = try scratch.read()
        let length = Int(ReferenceStore.u64(file, offsets[2] + 16))
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest(rows(1...3, dimension: 2))
        let place = peer.segment(7, Array(file[(offsets[2] + 64)..<(offsets[2] + 64 + length)]))
        peer.commit()
        try scratch.write(peer.file)
        let snapshot = try StoreReader(at: path).snapshot()
        #expect(try snapshot.metadata(of: 3) == nil)
        #expect(try snapshot.metadataFields == [])
        let report = try StoreVerification.run(at: path)
        #expect(report.isIntact)
        #expect(report.problems.contains { $0.offset == UInt64(place) && $0.severity == .warning })
    }

    @Test("a repair saves the metadata up to what is damaged, and says what is lost", arguments: 0..<3)
    func repair(_ which: Int) throws {
        let offsets = try store()
        try flip(offsets[which] + 140)
        let output = scratch("saved.rvf")
        let report = try StoreRepair.run(from: path, to: output)
        #expect(report.rowCount == 3)
        #expect(report.losses.map(\.offset) == offsets.dropFirst(which).map { UInt64($0) }, "\(report.losses)")
        let snapshot = try StoreReader(at: output).snapshot()
        for id in 1...3 as ClosedRange<UInt64> {
            #expect(try snapshot.metadata(of: id)?["n"] == (id <= UInt64(which) ? .int64(Int64(id)) : nil), "id \(id)")
        }
        #expect(try StoreVerification.run(at: output).isIntact)
    }

    @Test("a repair leaves out, and tells of, what is named as metadata and cannot be read; another writer's is carried")
    func repairUnreadable() throws {
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest(rows(1...3, dimension: 2))
        let theirs = Array("metadata of a kind that nobody here knows".utf8)
        peer.segment(7, theirs)
        let unknown = peer.segment(7, Array("neither whole nor damaged, since it has no hash".utf8), hash: false)
        peer.commit()
        try scratch.write(peer.file)
        #expect(try !StoreVerification.run(at: path).isIntact)
        let report = try StoreRepair.run(from: path, to: scratch("saved.rvf"))
        #expect(report.rowCount == 3 && report.carriedSegmentCount == 1)
        #expect(report.losses.map(\.offset) == [UInt64(unknown + 64)])
        #expect(try StoreVerification.run(at: scratch("saved.rvf")).isIntact)
        let saved = try scratch.read("saved.rvf")
        let carried = ReferenceWriter.segments(of: saved).filter { $0.type == 7 }
        #expect(carried.map { Array(saved[($0.offset + 64)..<($0.offset + 64 + $0.length)]) } == [theirs])
        // Metadata can be written again, which it could not before.
        var writer = try StoreWriter.open(at: scratch("saved.rvf"))
        var transaction = Transaction()
        transaction.setMetadata("n", to: 5, for: 2)
        try writer.commit(transaction)
        try writer.compact()
        #expect(try writer.snapshot().metadata(of: 2) == ["n": 5])
        try writer.close()
    }

    @Test("a repair without a manifest finds the metadata, and gives none to ids whose rows are lost")
    func repairWithoutManifest() throws {
        let offsets = try store()
        var file = try scratch.read()
        for segment in ReferenceWriter.segments(of: file) where segment.type == 5 { file[segment.offset + 64] ^= 1 }
        // The row of id 1.
        let first = try #require(ReferenceWriter.segments(of: file).first { $0.type == 1 })
        file[first.offset + 64 + 10] ^= 1
        try scratch.write(file)
        let report = try StoreRepair.run(from: path, to: scratch("saved.rvf"))
        let snapshot = try StoreReader(at: scratch("saved.rvf")).snapshot()
        #expect(report.rowCount == (try snapshot.ids().count))
        #expect(try snapshot.metadata(of: 3)?["n"] == 3)
        #expect(try MetadataChainBytes(at: scratch("saved.rvf")).records == Set(try snapshot.ids()))
        #expect(offsets.count == 3)
    }

    @Test("a child has the metadata of its rows; a backup is the store as it is")
    func copies() throws {
        _ = try store()
        var writer = try StoreWriter.open(at: path)
        try writer.delete(ids: [2])
        let reader = try StoreReader(at: path)
        try reader.derive(to: scratch("child.rvf"))
        try reader.backup(to: scratch("copy.rvf"))
        for name in ["child.rvf", "copy.rvf"] {
            let snapshot = try StoreReader(at: scratch(name)).snapshot()
            #expect(try snapshot.ids() == [1, 3])
            #expect(try snapshot.metadata(of: 3)?["n"] == 3, "\(name)")
            #expect(try MetadataChainBytes(at: scratch(name)).records == [1, 3], "\(name)")
        }
    }
}
