import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Damage")
struct DamageTests {
    private let scratch = Scratch()

    /// Segments of ids 1–10, 11–20 (and 5 anew), 21–30.
    private func threeCommits() -> ReferenceWriter {
        var writer = ReferenceWriter(dimension: 3)
        writer.ingest(rows(1...10, dimension: 3))
        writer.ingest(rows(Array(11...20) + [5], dimension: 3, version: 1))
        writer.ingest(rows(21...30, dimension: 3))
        return writer
    }

    private func vectorEntry(_ number: Int, _ writer: ReferenceWriter) -> (offset: Int, length: Int) {
        let entry = writer.entries.filter { $0.type == 1 }[number]
        return (entry.offset, entry.length)
    }

    @Test("a damaged vector segment takes only its own rows with it, and says where it is", arguments: [ReadMode.mapped, .positional])
    func onlyItsRows(_ mode: ReadMode) throws {
        var writer = threeCommits()
        let damaged = vectorEntry(1, writer)
        writer.file[damaged.offset + 64 + 40] ^= 1
        var options = ReaderOptions()
        options.readMode = mode
        let path = try scratch.write(writer.file)
        let reader = try StoreReader(at: path, options: options)
        let snapshot = reader.snapshot()
        let expected = StoreError.damaged(
            path, offset: UInt64(damaged.offset),
            what: "the vector segment here does not have the hash that its header gives; its rows are not available")
        #expect(try snapshot.vector(id: 3) == rows([3], dimension: 3)[0].1)
        #expect(try snapshot.vector(id: 25) == rows([25], dimension: 3)[0].1)
        #expect(storeError { () throws(StoreError) in try snapshot.vector(id: 15) } == expected)
        // Its newer row is in the damaged segment: the older one must not come to light.
        #expect(storeError { () throws(StoreError) in try snapshot.vector(id: 5) } == expected)
        // It may be there, for all that can be said.
        #expect(storeError { () throws(StoreError) in try snapshot.vector(id: 99) } == expected)
        #expect(storeError { () throws(StoreError) in try snapshot.ids() } == expected)
        #expect(try snapshot.damages() == [expected])
        let left = (Array(1...10) + Array(21...30)).filter { $0 != 5 }.map(UInt64.init)
        #expect(try snapshot.ids(onDamage: .passOver) == left)
        #expect(try reader.rows(onDamage: .passOver).keys.sorted() == left)
        #expect(expected.description.contains("at byte \(damaged.offset)"))
    }

    @Test("a damaged header of a vector segment does the same, be it in the middle or last", arguments: 0..<3)
    func damagedHeader(_ number: Int) throws {
        for byte in [0, 5, 8, 16, 17] {
            var writer = threeCommits()
            let damaged = vectorEntry(number, writer)
            writer.file[damaged.offset + byte] ^= 0x40
            let snapshot = try StoreReader(at: try scratch.write(writer.file)).snapshot()
            #expect(snapshot.epoch == 3, "byte \(byte)")
            guard case .damaged(_, let offset, _)? = try snapshot.damages().first else {
                Issue.record("no damage found, byte \(byte)")
                continue
            }
            #expect(offset == UInt64(damaged.offset))
            for (segment, id) in [(0, 2), (1, 12), (2, 22)] as [(Int, UInt64)] {
                let error = storeError { () throws(StoreError) in try snapshot.vector(id: id) }
                #expect((error != nil) == (segment == number), "segment \(segment), byte \(byte)")
            }
        }
    }

    @Test("checking everything at open finds what the first use would")
    func atOpen() throws {
        var writer = threeCommits()
        let damaged = vectorEntry(2, writer)
        writer.file[damaged.offset + 64 + 7] ^= 1
        var options = ReaderOptions()
        options.verification = .atOpen
        let snapshot = try StoreReader(at: try scratch.write(writer.file), options: options).snapshot()
        #expect(try snapshot.damages().count == 1)
        #expect(try snapshot.vector(id: 12) != nil)
    }

    @Test("rows of another dimension than the store's are damage")
    func otherDimension() throws {
        var writer = threeCommits()
        var wider = ReferenceWriter(dimension: 4)
        wider.ingest(rows(50...51, dimension: 4))
        writer.segment(1, wider.vectorPayload(rows(50...51, dimension: 4)))
        writer.commit()
        let snapshot = try StoreReader(at: try scratch.write(writer.file)).snapshot()
        let damages = try snapshot.damages()
        #expect(damages.count == 1)
        #expect(damages.first?.description.contains("its rows have dimension 4, those of the store 3") == true)
        #expect(try snapshot.vector(id: 2) != nil)
    }

    @Test("a file cut short under a positional reader is an error, not the end of the process")
    func cutShort() throws {
        let writer = threeCommits()
        var options = ReaderOptions()
        options.readMode = .positional
        let path = try scratch.write(writer.file)
        let snapshot = try StoreReader(at: path, options: options).snapshot()
        #expect(try snapshot.vector(id: 22) != nil)
        let file = try FileDescriptor.open(path, .writeOnly)
        try file.closeAfter { try file.resize(to: 200) }
        guard case .damaged(path, _, let what)? = storeError({ () throws(StoreError) in try snapshot.vector(id: 22) }) else {
            Issue.record("no error")
            return
        }
        #expect(what.contains("longer when it was opened"))
    }
}
