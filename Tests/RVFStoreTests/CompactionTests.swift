import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Compaction")
struct CompactionTests {
    private let scratch = Scratch()

    private func expectBoth(_ path: FilePath, hold expected: [UInt64: [Float]], _ note: String = "") throws {
        let reference = try ReferenceStore(at: path)
        #expect(reference.rows == expected, "reference \(note)")
        #expect(reference.total == UInt64(expected.count), "\(note)")
        #expect(try StoreReader(at: path).rows() == expected, "\(note)")
    }

    /// Rows that were replaced and deleted, foreign segments named and not, journals and witnesses.
    private func mixed() -> ReferenceWriter {
        var peer = ReferenceWriter(dimension: 3, metric: 2)
        peer.ingest(rows(1...40, dimension: 3), witnessed: true)
        peer.segment(0x10, Array("a module".utf8))
        peer.ingest(rows([5, 90, 7], dimension: 3, version: 1))
        peer.segment(0x23, Array("a map that nobody named".utf8), listed: false)
        peer.delete([2, 3, 90])
        peer.segment(0x0E, [UInt8](repeating: 7, count: 5000))
        peer.segment(0x24, Array("a map without a hash".utf8), listed: false, hash: false)
        peer.ingest(rows(200...210, dimension: 3))
        peer.witness("query", listed: false)
        peer.witness("query again", listed: false)
        return peer
    }

    private func mixedRows() -> [UInt64: [Float]] {
        var expected = dictionary(rows(1...40, dimension: 3) + rows([5, 7], dimension: 3, version: 1))
        expected.merge(dictionary(rows(200...210, dimension: 3))) { $1 }
        for id in [2, 3] as [UInt64] { expected[id] = nil }
        return expected
    }

    @Test("live rows are kept in their order, what is superseded goes, and the writer goes on in the new file")
    func compact() throws {
        let peer = mixed()
        let path = try scratch.write(peer.file)
        var writer = try StoreWriter.open(at: path)
        let before = writer.snapshot()
        var order: [UInt64] = []
        try before.forEachRow { id, _ in order.append(id) }
        let report = try writer.compact()
        #expect(report.rowCount == order.count)
        #expect(report.droppedRowCount == 40 + 3 + 11 - order.count)
        #expect(report.byteCount == UInt64(try scratch.read().count))
        try expectBoth(path, hold: mixedRows())
        let after = writer.snapshot()
        var newOrder: [UInt64] = []
        try after.forEachRow { id, _ in newOrder.append(id) }
        #expect(newOrder == order)
        #expect(after.epoch == before.epoch + 1)
        #expect(after.metric == before.metric && after.identity == before.identity && after.dimension == 3)
        #expect(after.deletedIDs.isEmpty && after.rejectedManifests.isEmpty)
        #expect(after.segments.map(\.type) == [.vectors, .wasm, .kernel, SegmentType(rawValue: 0xF2)])

        try writer.append(batch(rows([2, 300], dimension: 3)))
        try writer.close()
        var expected = mixedRows()
        expected.merge(dictionary(rows([2, 300], dimension: 3))) { $1 }
        try expectBoth(path, hold: expected, "after a commit to the new file")
        #expect(scratch.names == ["data.rvf"])
    }

    @Test("segments of other writers are carried over byte for byte, named or not, and in their order")
    func foreign() throws {
        let peer = mixed()
        let path = try scratch.write(peer.file)
        func foreign(_ file: [UInt8]) throws -> [[UInt8]] {
            var found: [[UInt8]] = []
            var offset = 0
            while offset + 64 <= file.count {
                guard ReferenceStore.u32(file, offset) == 0x5256_4653 else {
                    #expect(file[offset] == 0)
                    offset += 1
                    continue
                }
                let end = offset + 64 + Int(ReferenceStore.u64(file, offset + 16))
                if ![1, 4, 5, 0xF2].contains(file[offset + 5]) { found.append(Array(file[offset..<end])) }
                offset = end
            }
            return found
        }
        var writer = try StoreWriter.open(at: path)
        let report = try writer.compact()
        try writer.close()
        let carried = try foreign(scratch.read())
        #expect(carried == (try foreign(peer.file)))
        #expect(carried.count == 7 && report.carriedSegmentCount == 7)
    }

    @Test("what an interrupted commit left goes, and a whole store inside a segment stays inside")
    func leftovers() throws {
        var inner = ReferenceWriter(dimension: 3)
        inner.ingest(rows(1000...1010, dimension: 3), witnessed: true)
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows(1...9, dimension: 3))
        peer.segment(0x10, inner.file)
        peer.commit()
        // Unnamed rows, the torn beginning of a manifest, and a witness behind them.
        peer.segment(1, peer.vectorPayload(rows(50...60, dimension: 3)), listed: false)
        peer.file += [UInt8](repeating: 0, count: 64) + peer.manifestPayload() + [1, 2, 3]
        peer.witness("after a crash", listed: false)
        let path = try scratch.write(peer.file)
        var writer = try StoreWriter.open(at: path)
        let report = try writer.compact()
        try writer.close()
        #expect(report.carriedSegmentCount == 2)
        try expectBoth(path, hold: dictionary(rows(1...9, dimension: 3)))
        let witness = Array(peer.file.suffix(13 + 13 + 32 + 64))
        #expect(try scratch.read().firstRange(of: witness) != nil)
    }

    @Test("rows are told apart in groups where there are too many for memory", arguments: [1, 7, 64, 100_000])
    func groups(_ rowsInMemory: Int) throws {
        var generator = SeededGenerator(seed: 11)
        var options = WriterOptions()
        options.limits.segmentByteCount = 300
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 2, options: options)
        var expected: [UInt64: [Float]] = [:]
        for commit in 0..<12 {
            let ids = Set((0..<40).map { _ in UInt64.random(in: 0..<150, using: &generator) * 0x1_0000_0001 })
            let new = rows(ids.sorted().shuffled(using: &generator), dimension: 2, version: Float(commit))
            try writer.append(batch(new))
            expected.merge(dictionary(new)) { $1 }
        }
        var work = WorkOptions()
        work.rowsInMemory = rowsInMemory
        try writer.compact(options: work)
        try expectBoth(path, hold: expected)
        let segments = writer.snapshot().segments
        #expect(segments.count > 1 && segments.allSatisfy { $0.payloadByteCount <= 300 && $0.offset % 64 == 0 })
    }

    @Test("an empty store stays one, and compacting twice changes nothing but the epoch")
    func emptyAndTwice() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 4)
        try writer.compact()
        #expect(try scratch.read().count == 162)
        try expectBoth(path, hold: [:])
        try writer.append(batch(rows(1...5, dimension: 4)))
        try writer.compact()
        let once = try scratch.read()
        try writer.compact()
        #expect(try scratch.read().count == once.count)
        try expectBoth(path, hold: dictionary(rows(1...5, dimension: 4)))
        #expect(writer.snapshot().epoch == 4)
    }

    @Test("a snapshot is undisturbed, and a reader comes to the new file with its next refresh", arguments: [ReadMode.mapped, .positional])
    func readers(_ mode: ReadMode) throws {
        let path = try scratch.write(mixed().file)
        var options = ReaderOptions()
        options.readMode = mode
        let reader = try StoreReader(at: path, options: options)
        let snapshot = reader.snapshot()
        var writer = try StoreWriter.open(at: path)
        try writer.compact()
        try writer.append(batch(rows([999], dimension: 3)))
        #expect(try snapshot.vector(id: 5) == rows([5], dimension: 3, version: 1)[0].1)
        #expect(try snapshot.ids() == mixedRows().keys.sorted())
        #expect(try reader.refresh())
        #expect(try reader.snapshot().vector(id: 999) != nil)
        #expect(reader.snapshot().epoch == snapshot.epoch + 2)
    }

    @Test("a damaged segment is named, and the store stays as it was")
    func damaged() throws {
        for type in [1, 0x10] as [UInt8] {
            for byte in [5, 16, 64 + 20] {
                var peer = mixed()
                let entry = try #require(peer.entries.first { $0.type == type })
                if byte < 64 + entry.length { peer.file[entry.offset + byte] ^= 0x40 } else { continue }
                let path = try scratch.write(peer.file)
                var writer = try StoreWriter.open(at: path)
                let before = try scratch.read()
                guard case .damaged(path, let offset, _)? = storeError({ () throws(StoreError) in try writer.compact() }) else {
                    Issue.record("type \(type), byte \(byte): not refused")
                    continue
                }
                #expect(offset >= UInt64(entry.offset) && offset <= UInt64(entry.offset + 64))
                #expect(try scratch.read() == before)
                #expect(scratch.names == ["data.rvf", "data.rvf.lock"])
                try writer.close()
            }
        }
    }

    @Test("it can be watched, slowed down and cancelled")
    func pace() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 256)
        try writer.append(batch(rows(1...3000, dimension: 256)))
        let before = try scratch.read()
        let cancellation = StoreCancellation()
        var work = WorkOptions()
        work.cancellation = cancellation
        work.progress = { if $0.doneByteCount > 4 << 20 { cancellation.cancel() } }
        #expect(storeError { () throws(StoreError) in try writer.compact(options: work) } == .cancelled(path))
        #expect(try scratch.read() == before)
        #expect(scratch.names == ["data.rvf", "data.rvf.lock"])

        let seen = Seen()
        work = WorkOptions()
        work.bytesPerSecond = 40 << 20
        work.progress = { seen.note($0) }
        let clock = ContinuousClock()
        let time = try clock.measure { _ = try writer.compact(options: work) }
        #expect(time > .milliseconds(150))
        #expect(seen.isRising && seen.last?.doneByteCount == seen.last?.totalByteCount)
        try expectBoth(path, hold: dictionary(rows(1...3000, dimension: 256)))
    }
}
