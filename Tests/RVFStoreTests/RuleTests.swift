import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage
import Testing

/// The rules of the format that no other suite attacks; spec/store-format.md says which one is tested where.
@Suite("Rules")
struct RuleTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    // MARK: Rule 1, limits

    @Test("rule 1: deleted ids fill the manifest to its last byte, and one more makes room for others")
    func deletesToTheLimit() throws {
        let ids = Array(0..<20_000 as Range<UInt64>)
        var writer = try StoreWriter.create(at: path, dimension: 1)
        try writer.append(ids: ids, components: ids.map(Float.init))
        let vectors = writer.snapshot().segments.filter { $0.type == .vectors }
        try writer.delete(ids: Array(ids[..<8_000]))
        #expect(writer.snapshot().segments.filter { $0.type == .vectors } == vectors)
        // The header, the fixed fields, an entry, the list's count, the identity and the longest mark.
        let room = (65_472 - 64 - 22 - 25 - 4 - 72 - 24) / 8
        try writer.delete(ids: Array(ids[8_000..<room]))
        #expect(writer.snapshot().segments.filter { $0.type == .vectors } == vectors)
        var reference = try ReferenceStore(at: path)
        #expect(reference.deleted.count == room && reference.rows.count == 20_000 - room)
        #expect(try scratch.read().count - reference.manifestOffset <= 65_472)
        try writer.delete(ids: [ids[room]])
        #expect(writer.snapshot().segments.filter { $0.type == .vectors } != vectors)
        reference = try ReferenceStore(at: path)
        #expect(reference.deleted.count <= room / 2 && Set(reference.rows.keys) == Set(ids[(room + 1)...]))
    }

    @Test("rule 1: foreign entries that leave no room are refused with nothing written", arguments: [2_580, 2_640])
    func foreignEntriesToTheLimit(_ count: Int) throws {
        var peer = ReferenceWriter(dimension: 1)
        for number in 0..<count { peer.segment(0x10, [UInt8(number % 256)]) }
        peer.commit()
        try scratch.write(peer.file)
        var writer = try StoreWriter.open(at: path)
        let opened = try scratch.read()
        let error = storeError { () throws(StoreError) in try writer.append(ids: [1], components: [2]) }
        if count < 2_600 {
            #expect(error == nil)
            #expect(try ReferenceStore(at: path).rows == [1: [2]])
        } else {
            guard case .limit(path, .manifest)? = error else {
                Issue.record("\(error.map(String.init(describing:)) ?? "not refused")")
                return
            }
            #expect(try scratch.read() == opened)
            #expect(try StoreReader(at: path).snapshot().segments.count >= count)
        }
    }

    @Test("rule 1: no segment is made that other readers refuse")
    func longestSegments() {
        for limit in [CommitLimits.segmentByteCount, MetadataFormat.payloadByteLimit, CheckpointPayload.byteLimit,
            RowIndexPayload.byteCountLimit(rowCount: CommitLimits.segmentByteCount / 12)]
        { #expect(limit <= ReferenceStore.longestSegment) }
    }

    // MARK: Rule 2, nothing of users is taken for a manifest

    @Test("rule 2: deleted ids that spell a manifest's header do not stay on the list", arguments: [6, 7])
    func craftedDeletedIDs(_ shift: Int) throws {
        // The header begins in the last bytes of an id; those of all ids behind it have to be as high.
        let header = SegmentHeader(type: .manifest, id: 0, payloadByteCount: 0, hash: .unset).encoded
        let spelt = [UInt8](repeating: 0, count: shift) + header.prefix(8)
        let first = ReferenceStore.u64(spelt + [0, 0], 0)
        let top = first >> UInt64(8 * shift)
        let second = ReferenceStore.u64(spelt + [UInt8](repeating: 0, count: 16), 8) | top << UInt64(8 * shift)
        let rest = (1...3_000).map { top << UInt64(8 * shift) | UInt64($0) << 24 | 0xFF << UInt64(8 * shift - 8) }
        let ids = ([first, second] + rest).sorted()
        var writer = try StoreWriter.create(at: path, dimension: 1)
        try writer.append(ids: [1, 2] + ids, components: [Float](repeating: 1, count: 2 + ids.count))
        try writer.delete(ids: ids + [2])
        let reference = try ReferenceStore(at: path)
        #expect(reference.rows == [1: [1]] && reference.epoch == writer.snapshot().epoch)
        #expect(try StoreReader(at: path).rows() == [1: [1]])
    }

    @Test("rule 2: a whole store in a vector, in metadata, or in a foreign segment stays inside, wherever its commit ends")
    func embeddedStore() throws {
        let inner = ReferenceWriter(dimension: 9).file
        var transactions: [Transaction] = []
        var first = Transaction()
        first.upsert([Row(id: 1, vector: [1, 2, 3], metadata: ["store": .bytes(inner)])])
        transactions.append(first)
        // Its bytes as rows of three components; what is no number there cannot be stored.
        let padded = inner + [UInt8](repeating: 0, count: 20 - inner.count % 20)
        var ids: [UInt64] = []
        var components: [Float] = []
        for row in stride(from: 0, to: padded.count, by: 20) {
            ids.append(ReferenceStore.u64(padded, row) | UInt64(row) << 32)
            for place in 0..<3 {
                let component = Float(bitPattern: ReferenceStore.u32(padded, row + 8 + 4 * place))
                components.append(component.isFinite ? component : 0)
            }
        }
        var second = Transaction()
        second.upsert(ids: ids, components: components)
        second.setFileMetadata(.bytes(inner + inner), for: "stores")
        second.setCheckpoint(source: "queue", count: 1, offset: inner)
        transactions.append(second)
        let recording = try CommitRecording(transactions, in: scratch) { _ in .ordered }
        try recording.forEachEnd { cut in
            let end = try scratch.write(cut.image, to: "end.rvf")
            #expect(try StoreReader(at: end).snapshot().dimension == 3)
            var writer = try StoreWriter.open(at: end)
            try writer.append([Row(id: 77, vector: [1, 1, 1])])
            try writer.close()
            #expect(try ReferenceStore(at: end).rows[77] == [1, 1, 1])
            let compacted = try ReferenceWriter.compacting(scratch.read("end.rvf"))
            #expect(try StoreReader(at: scratch.write(compacted.file, to: "peer.rvf")).snapshot().dimension == 3)
        }
    }

    // MARK: Rules 5 and 6, what is written where and when

    private func history(
        _ seed: UInt64, _ body: (_ events: ArraySlice<DiskScript.Event>, _ acknowledgedEnd: Int64) throws -> Void
    ) throws {
        var generator = SeededGenerator(seed: seed)
        let script = DiskScript()
        var options = WriterOptions()
        options.lock.renewal = .manual
        options.limits.segmentByteCount = 600
        options.limits.indexedByteCount = 100
        options.witnesses = true
        var writer = try StoreWriterCore.create(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, dimension: StoreModel.dimension,
            metric: .cosine, options: options)
        let descriptor = try FileDescriptor.open(path, .readOnly)
        defer { try? descriptor.close() }
        let identity = try POSIXHost().status(of: descriptor).identity
        script.set { $0.file = identity }
        var model = StoreModel()
        for number in 0..<40 {
            let end = try descriptor.seek(offset: 0, from: .end)
            let before = script.events.count
            try writer.commit(model.randomTransaction(number, &generator))
            try body(script.events[before...], end)
        }
    }

    @Test("rule 5: no commit writes before the end of what was acknowledged", arguments: 0..<3 as Range<UInt64>)
    func neverOverwritten(_ seed: UInt64) throws {
        try history(seed) { events, end in
            for case .write(let offset, _) in events where offset < end { Issue.record("\(offset) < \(end), seed \(seed)") }
        }
    }

    @Test("rule 6: a manifest's header is the last to be written, alone, in one sector, between two syncs", arguments: 0..<3 as Range<UInt64>)
    func order(_ seed: UInt64) throws {
        try history(seed) { events, _ in
            let last = Array(events.suffix(3))
            guard last.count == 3, case .write(let offset, let bytes) = last[1] else {
                Issue.record("seed \(seed): \(last.count) events")
                return
            }
            #expect(last[0] == .sync && last[2] == .sync, "seed \(seed)")
            #expect(offset % 64 == 0 && bytes.count == 64 && Array(bytes[..<4]) == [0x53, 0x46, 0x56, 0x52] && bytes[5] == 5)
            for case .write(let other, let content) in events.dropLast(3)
            where other <= offset && offset < other + Int64(content.count) {
                let place = Int(offset - other)
                #expect(content[place..<min(place + 64, content.count)].allSatisfy { $0 == 0 }, "seed \(seed)")
            }
        }
    }
}
