import RVFReference
import RVFStore
import SystemPackage
import Testing

/// A payload may hold a whole store. Whatever it holds, and whatever became of the segment around it, its manifest
/// is never taken for the file's own.
@Suite("A store inside a payload")
struct EnclosureTests {
    enum Content: CaseIterable {
        /// A store without rows: a manifest that names nothing.
        case emptyStore
        /// Somebody else's store.
        case otherStore
        /// A copy of the file as it is, all of whose offsets are right in it.
        case copyOfItself
        /// A store made for the place: its offsets count from the beginning of the outer file.
        case madeForThePlace
    }

    private let scratch = Scratch()

    private func outer() -> ReferenceWriter {
        var writer = ReferenceWriter(dimension: 4)
        writer.ingest(rows(1...4, dimension: 4))
        writer.ingest(rows(5...6, dimension: 4))
        return writer
    }

    private func payload(_ content: Content, in outer: ReferenceWriter) -> [UInt8] {
        switch content {
        case .emptyStore: return ReferenceWriter(dimension: 9).file
        case .otherStore:
            var other = ReferenceWriter(dimension: 9)
            other.ingest(rows(70...80, dimension: 9))
            return other.file
        case .copyOfItself: return outer.file
        case .madeForThePlace:
            var forged = outer
            forged.file += [UInt8](repeating: 7, count: 64)
            forged.ingest(rows(70...80, dimension: 4))
            return Array(forged.file[(outer.file.count + 64)...])
        }
    }

    private func expectOuter(_ file: [UInt8], epoch: UInt32 = 2, _ note: String = "") throws {
        for mode in [ReadMode.mapped, .positional] {
            var options = ReaderOptions()
            options.readMode = mode
            let snapshot = try StoreReader(at: try scratch.write(file), options: options).snapshot()
            #expect(snapshot.epoch == epoch, "\(note)")
            #expect(snapshot.dimension == 4, "\(note)")
            #expect(try snapshot.vector(id: 3) == rows([3], dimension: 4)[0].1, "\(note)")
            #expect(try snapshot.vector(id: 70) == nil, "\(note)")
        }
    }

    @Test("inside a segment that is whole and that no manifest names", arguments: Content.allCases, [1, 0x0E, 0x77] as [UInt8])
    func uncommitted(_ content: Content, _ type: UInt8) throws {
        for hash in [true, false] {
            var writer = outer()
            let inner = payload(content, in: writer)
            writer.segment(type, inner, listed: false, hash: hash)
            try expectOuter(writer.file, "ends with the payload")
            writer.witness("query", listed: false)
            try expectOuter(writer.file, "a witness follows")
        }
    }

    @Test("inside a named segment, when the manifest behind it is damaged", arguments: Content.allCases)
    func committed(_ content: Content) throws {
        var writer = outer()
        let inner = payload(content, in: writer)
        writer.segment(0x0E, inner + [UInt8](repeating: 1, count: 33))
        writer.commit()
        try expectOuter(writer.file, epoch: 3)
        writer.file[writer.file.count - 3] ^= 1
        try expectOuter(writer.file)
    }

    @Test("inside the torn last segment, cut right behind it", arguments: [Content.emptyStore, .otherStore, .copyOfItself])
    func torn(_ content: Content) throws {
        for before in [0, 6, 1000] {
            var writer = outer()
            let inner = payload(content, in: writer)
            let start = writer.file.count
            writer.segment(1, [UInt8](repeating: 3, count: before) + inner + [UInt8](repeating: 3, count: 900), listed: false)
            writer.file.removeLast(900)
            try expectOuter(writer.file, "cut short, \(before) before")
            // The rest was allocated and never written.
            try expectOuter(writer.file + [UInt8](repeating: 0, count: 900), "zeros behind, \(before) before")
            // So was the block that held the header.
            for byte in start..<(start + 64) { writer.file[byte] = 0 }
            if before > 0 { try expectOuter(writer.file, "header lost, \(before) before") }
        }
    }

    @Test("inside rows, whose floats and ids spell it")
    func insideRows() throws {
        // A manifest's 162 bytes as 4-component rows: 24 bytes each.
        let inner = payload(.emptyStore, in: outer()) + [UInt8](repeating: 0, count: 6)
        var spelt: [(UInt64, [Float])] = []
        for row in stride(from: 0, to: inner.count, by: 24) {
            let id = ReferenceStore.u64(inner, row)
            spelt.append((id, (0..<4).map { Float(bitPattern: ReferenceStore.u32(inner, row + 8 + 4 * $0)) }))
        }
        var writer = outer()
        writer.segment(1, writer.vectorPayload(spelt), listed: false)
        try expectOuter(writer.file)
    }

    @Test("a copy of a store of ours, in itself")
    func oursInItself() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 4)
        for id in 1...6 as ClosedRange<UInt64> { try writer.append(batch(rows([id], dimension: 4))) }
        try writer.close()
        let ours = try scratch.read()
        // Raw, behind a header that was lost, and behind one whose segment is torn.
        let tails = [[], [UInt8](repeating: 0, count: 64), ReferenceWriter(dimension: 4).file, [1, 2, 3]].map { $0 + ours }
        for (number, tail) in tails.enumerated() {
            try scratch.write(ours + tail)
            let snapshot = try StoreReader(at: path).snapshot()
            #expect(snapshot.epoch == 6 && snapshot.manifestOffset < UInt64(ours.count), "\(number)")
            #expect(try snapshot.ids() == [1, 2, 3, 4, 5, 6], "\(number)")
            var again = try StoreWriter.open(at: path)
            try again.append(batch(rows([7], dimension: 4)))
            try again.close()
            #expect(try StoreReader(at: path).snapshot().ids() == [1, 2, 3, 4, 5, 6, 7], "\(number)")
            #expect(try ReferenceStore(at: path).rows.count == 7, "\(number)")
        }
    }

    @Test("many of them, one behind another")
    func many() throws {
        var writer = outer()
        var inner: [UInt8] = []
        for _ in 0..<2000 { inner += ReferenceWriter(dimension: 9).file }
        writer.segment(0x0E, inner, listed: false)
        try expectOuter(writer.file)
        #expect(try StoreReader(at: scratch("data.rvf")).snapshot().rejectedManifests.count == 1)
        writer.file.removeLast(100)
        try expectOuter(writer.file)
    }
}
