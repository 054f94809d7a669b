import RVFReference
import RVFStore
import SystemPackage
import Testing

/// Indexes that somebody made up: none may lead to a wrong row, a lost one, or a trap.
@Suite("Forged row indexes")
struct RowIndexAttackTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }
    private let ids = Array(stride(from: 100, to: 180, by: 2) as StrideTo<UInt64>).shuffledBySeed()
    private var expected: [UInt64: [Float]] { dictionary(rows(ids + Array(1...10) + [300], dimension: 2)) }

    private var options: WriterOptions {
        var options = WriterOptions()
        options.limits.indexedByteCount = 0
        return options
    }

    /// Three segments; the index of the one in the middle is changed.
    private func forge(_ change: (inout RowIndexForge.Content) -> Void, bytes: (inout [UInt8]) -> Void = { _ in }) throws {
        try? FileManagement.remove(path)
        var writer = try StoreWriter.create(at: path, dimension: 2, options: options)
        // A smaller one would be taken in by the next.
        try writer.append(batch(rows(1...10, dimension: 2)))
        try writer.append(batch(rows(ids, dimension: 2)))
        try writer.append(batch(rows([300], dimension: 2)))
        try writer.close()
        var file = try scratch.read()
        let place = try #require(try RowIndexForge.places(in: file).max { $0.length < $1.length })
        var content = try RowIndexForge.Content(of: file, vectors: place.vectors)
        change(&content)
        var payload = content.payload
        bytes(&payload)
        RowIndexForge.replace(place, in: &file, with: payload)
        try scratch.write(file)
    }

    private func expectAll(_ note: String, but hidden: Set<UInt64> = []) throws {
        for mode in [ReadMode.mapped, .positional] {
            var options = ReaderOptions()
            options.readMode = mode
            let reader = try StoreReader(at: path, options: options)
            for (id, vector) in expected where !hidden.contains(id) {
                let found = try reader.snapshot().vector(id: id)
                if found != vector { Issue.record("id \(id): \(String(describing: found)), \(mode), \(note)") }
            }
            for id in [0, 101, 179, 5000] as [UInt64] { #expect(try reader.snapshot().vector(id: id) == nil, "\(note)") }
            if hidden.isEmpty {
                #expect(try reader.rows() == expected, "\(note)")
                #expect(try reader.snapshot().ids() == expected.keys.sorted(), "\(note)")
            }
        }
    }

    /// Commits that merge all segments, and a compaction, keep every row.
    private func expectKept(_ note: String) throws {
        var rest = expected
        var writer = try StoreWriter.open(at: path, options: options)
        for id in 1000..<1030 as Range<UInt64> {
            try writer.append(batch(rows([id], dimension: 2)))
            rest.merge(dictionary(rows([id], dimension: 2))) { $1 }
        }
        #expect(try ReferenceStore(at: path).rows == rest, "\(note)")
        try writer.append(batch(rows(2000...2100, dimension: 2)))
        rest.merge(dictionary(rows(2000...2100, dimension: 2))) { $1 }
        #expect(try ReferenceStore(at: path).rows == rest, "\(note)")
        try writer.compact()
        #expect(try ReferenceStore(at: path).rows == rest, "\(note)")
        #expect(try StoreReader(at: path).rows() == rest, "\(note)")
        #expect(try StoreVerification.run(at: path).isIntact, "\(note)")
    }

    @Test("one that speaks of another store, segment or content, or is malformed, is not gone by")
    func ignored() throws {
        let cases: [(String, (inout RowIndexForge.Content) -> Void)] = [
            ("another store", { $0.fileID[3] ^= 1; $0.ids.reverse() }),
            ("another length", { $0.length += 1; $0.rows?.reverse() }),
            ("older content", { $0.hash[0] ^= 1; $0.rows?.reverse() }),
            ("no hash", { $0.hash = [UInt8](repeating: 0, count: 16); $0.rows?.reverse() }),
            ("rows beyond the last", { $0.rows?[3] = UInt32.max }),
            ("the row after the last", { $0.rows?[3] = $0.count }),
            ("a row twice", { content in content.rows = content.rows.map { [$0[1]] + $0.dropFirst() } }),
            ("ids that do not rise", { $0.ids.swapAt(5, 6) }),
            ("an id twice", { $0.ids[5] = $0.ids[6] }),
            ("another lowest id", { $0.first -= 1 }),
            ("another highest id", { $0.last += 1 }),
            ("lowest above highest", { ($0.first, $0.last) = ($0.last, $0.first) }),
            ("a range too small", { $0.last = $0.first + 3 }),
            ("no rows", { $0.count = 0 }),
            ("too many rows", { $0.count = .max }),
            ("fewer rows than the segment", { $0.ids.removeLast(); $0.rows?.removeLast(); $0.count -= 1 }),
        ]
        for (note, change) in cases {
            try forge(change)
            try expectAll(note)
            try expectKept(note)
        }
    }

    @Test("one that was cut short, or has bytes flipped, is not gone by")
    func broken() throws {
        for length in [0, 7, 8, 79, 80, 100, 300] {
            try forge({ _ in }, bytes: { $0.removeLast($0.count - length) })
            try expectAll("\(length) bytes")
        }
        try expectKept("cut short")
        for byte in [0, 8, 10, 12, 20, 33, 41, 57, 66, 73, 77] {
            try forge({ _ in }, bytes: { $0[byte] ^= 4 })
            try expectAll("byte \(byte)")
        }
    }

    @Test("one that leads to wrong rows is found out by them, and the rows are read instead")
    func redirected() throws {
        let cases: [(String, (inout RowIndexForge.Content) -> Void)] = [
            ("two rows changed", { $0.rows?.swapAt(3, 20) }),
            ("all rows turned round", { $0.rows?.reverse() }),
            ("rows said to be in order", { $0.rows = nil }),
        ]
        for (note, change) in cases {
            try forge(change)
            let report = try StoreVerification.run(at: path)
            #expect(report.damageCount == 1 && report.problems.contains { $0.what.contains("does not agree with") }, "\(note)")
            try expectAll(note)
            try expectKept(note)
        }
    }

    @Test("one that hides an id is named by a check, and costs no row when it is made anew", arguments: [120, 178])
    func hiding(_ hidden: UInt64) throws {
        // Behind another id, or by a range that ends before.
        try forge { content in
            if hidden == 120 { content.ids[10] += 1 } else { content.last = 177 }
        }
        let place = try #require(try RowIndexForge.places(in: try scratch.read()).max { $0.length < $1.length })
        let report = try StoreVerification.run(at: path)
        #expect(report.problems.contains { $0.offset == UInt64(place.offset) && $0.severity == .damage })
        try expectAll("hidden", but: [hidden])
        try expectKept("hidden")
    }

    @Test("a snapshot from before an index reached its end does not read beyond its own")
    func growing() throws {
        var peer = ReferenceWriter(dimension: 2)
        let vectors = peer.segment(1, peer.vectorPayload(rows(1...100, dimension: 2)))
        var content = try RowIndexForge.Content(of: peer.file + [], vectors: vectors)
        content.rows = nil
        while peer.file.count % 64 != 0 { peer.file.append(0) }
        let index = RowIndexForge.Place(vectors: vectors, offset: peer.file.count, length: 80 + 12 * 100)
        // In order, and with sums of squares: as these, a segment and a manifest stand in it.
        var head = Array(content.payload[..<76])
        head[10] = 3
        head += little(UInt64(zlibChecksum(head)), 4)
        peer.file += little(0x5256_4653, 4) + [1, 0xF1] + [UInt8](repeating: 0, count: 58)
        peer.file += head + content.payload[80...]
        peer.segment(1, peer.vectorPayload(rows([200], dimension: 2)))
        peer.distinct = Set(1...100).union([200])
        peer.commit()
        let early = peer.file.count
        let end = index.offset + 64 + index.length
        precondition(early < end, "the manifest does not fit")
        peer.file += [UInt8](repeating: 0, count: end - early)
        RowIndexForge.replace(index, in: &peer.file, with: Array(peer.file[(index.offset + 64)..<end]))
        peer.commit()

        try scratch.write(Array(peer.file[..<early]))
        let reader = try StoreReader(at: path)
        let before = reader.snapshot()
        #expect(try before.damages().isEmpty)
        try scratch.append(peer.file[early...])
        #expect(try reader.refresh())
        let core = reader.snapshot().core
        #expect(try core.rowIndexOffsets() == [UInt64(index.offset)])
        // The head is looked at now, and the rest by the snapshot that does not have all of it.
        #expect(try reader.snapshot().vector(id: 5000) == nil)
        for snapshot in [before, reader.snapshot()] {
            for id in [1, 50, 100, 200] as [UInt64] {
                #expect(try snapshot.vector(id: id) == rows([id], dimension: 2)[0].1)
            }
        }
    }

    @Test("one that claims newer rows of other segments' ids takes none of them away")
    func claiming() throws {
        try forge { content in
            content.ids[0] = 1
            content.first = 1
        }
        try expectAll("claimed", but: [100])
        try expectKept("claimed")
    }
}

extension [UInt64] {
    fileprivate func shuffledBySeed() -> [UInt64] {
        var generator = SeededGenerator(seed: 11)
        return shuffled(using: &generator)
    }
}
