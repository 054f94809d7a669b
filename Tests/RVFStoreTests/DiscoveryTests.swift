import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Finding the newest manifest")
struct DiscoveryTests {
    private let scratch = Scratch()

    private func snapshot(_ file: [UInt8], _ mode: ReadMode = .mapped) throws -> Snapshot {
        var options = ReaderOptions()
        options.readMode = mode
        return try StoreReader(at: try scratch.write(file), options: options).snapshot()
    }

    private func twoCommits() -> ReferenceWriter {
        var writer = ReferenceWriter(dimension: 3)
        writer.ingest(rows(1...4, dimension: 3))
        writer.ingest(rows(5...6, dimension: 3))
        return writer
    }

    @Test("the newest of several manifests is the truth", arguments: [ReadMode.mapped, .positional])
    func newest(_ mode: ReadMode) throws {
        let snapshot = try snapshot(twoCommits().file, mode)
        #expect(snapshot.epoch == 2)
        #expect(try snapshot.ids() == [1, 2, 3, 4, 5, 6])
        #expect(snapshot.rejectedManifests.isEmpty)
    }

    @Test("a damaged newest manifest gives way to the one before, and is told about")
    func damagedNewest() throws {
        var file = twoCommits().file
        file[file.count - 1] ^= 0x10
        let snapshot = try snapshot(file)
        #expect(snapshot.epoch == 1)
        #expect(try snapshot.ids() == [1, 2, 3, 4])
        #expect(snapshot.rejectedManifests.count == 1)
        #expect(snapshot.rejectedManifests.first?.why == "does not have the hash that its header gives")
    }

    @Test("a manifest without a hash, or with a foreign one, is not believed")
    func hashes() throws {
        var writer = twoCommits()
        let valid = writer.file
        writer.segment(5, writer.manifestPayload(), hash: false)
        #expect(try snapshot(writer.file).epoch == 2)
        #expect(try snapshot(writer.file).rejectedManifests.map(\.why) == ["has no hash"])
        var foreign = valid
        let offset = try ReferenceStore(foreign).manifestOffset
        for byte in 0..<16 { foreign[offset + 0x28 + byte] = UInt8(byte + 1) }
        #expect(try snapshot(foreign).epoch == 1)
        #expect(try snapshot(foreign).rejectedManifests.map(\.why) == ["has a hash of an unknown kind"])
    }

    @Test("segments that no manifest names may follow the newest one", arguments: [ReadMode.mapped, .positional])
    func unnamedTail(_ mode: ReadMode) throws {
        var writer = twoCommits()
        writer.witness("query", listed: false)
        writer.segment(0x77, [UInt8](repeating: 0x5A, count: 3 << 20), listed: false)
        let snapshot = try snapshot(writer.file, mode)
        #expect(snapshot.epoch == 2)
        #expect(try snapshot.ids().count == 6)
    }

    @Test("a manifest is found wherever it lies across the windows of the search", arguments: [ReadMode.mapped, .positional])
    func windows(_ mode: ReadMode) throws {
        let writer = twoCommits()
        let manifest = try ReferenceStore(writer.file).manifestOffset
        let behind = writer.file.count - manifest
        for boundary in [65_536, 65_536 + (1 << 20)] {
            for shift in stride(from: -70, through: 70, by: 1) {
                // So that the manifest's header begins at the boundary, counted from the end, give or take the shift.
                let tail = [UInt8](repeating: 0, count: boundary + shift - behind)
                #expect(try snapshot(writer.file + tail, mode).manifestOffset == UInt64(manifest), "\(boundary) \(shift)")
            }
        }
    }

    @Test("a manifest that names what is not there is not believed")
    func namesNothing() throws {
        let valid = twoCommits()
        let before = valid.entries
        let bad: [(UInt64, Int, Int, UInt8)] = [
            (99, 300, 40, 1), (99, 0, 10_000, 1), (99, 1 << 40, 10, 1), (before[1].id, before[1].offset, before[1].length - 1, 1),
            (before[1].id + 1, before[1].offset, before[1].length, 4), (7, Int.max - 5, 100, 1),
        ]
        for entry in bad {
            var writer = valid
            writer.entries = before + [entry]
            writer.commit()
            let snapshot = try snapshot(writer.file)
            #expect(snapshot.epoch == 2, "\(entry)")
            #expect(snapshot.rejectedManifests.count == 1)
        }
    }

    @Test("commits after an interrupted one are found, whatever it left", arguments: 0..<6)
    func afterInterruption(_ kind: Int) throws {
        var writer = twoCommits()
        let payload = writer.vectorPayload(rows(20...90, dimension: 3))
        let start = writer.file.count
        writer.segment(1, payload, listed: false)
        let whole = writer.file.count
        switch kind {
        case 0: break
        case 1: writer.file.removeLast(payload.count / 2)
        case 2: writer.file.removeLast(payload.count + 10)
        case 3: for byte in start..<(start + 64) { writer.file[byte] = 0 }
        case 4: for byte in (start + 100)..<(start + 400) { writer.file[byte] = 0 }
        default:
            writer.file.removeLast(payload.count / 2)
            writer.file += [UInt8](repeating: 0, count: 8192)
        }
        #expect(try snapshot(writer.file).epoch == 2)
        writer.ingest(rows(7...8, dimension: 3))
        writer.ingest(rows(9...300, dimension: 3))
        #expect(writer.file.count > whole)
        let snapshot = try snapshot(writer.file)
        #expect(snapshot.epoch == 4)
        #expect(try snapshot.ids().count == 300)
    }

    @Test("two stores in one file are not mixed")
    func concatenation() throws {
        var second = ReferenceWriter(dimension: 3, fileID: Array(20...35))
        second.ingest(rows(100...120, dimension: 3))
        let snapshot = try snapshot(twoCommits().file + second.file)
        #expect(try snapshot.ids() == [1, 2, 3, 4, 5, 6])
    }

    @Test("files that hold no store are named for what they are")
    func noStore() throws {
        let empty = try scratch.write([], to: "empty")
        #expect(storeError { () throws(StoreError) in try StoreReader(at: empty) } == .notAStore(empty, .empty))
        let text = try scratch.write(Array("not a store at all, but rather long for a text of a few words".utf8), to: "text")
        #expect(storeError { () throws(StoreError) in try StoreReader(at: text) } == .notAStore(text, .noManifest(nearest: nil)))
        #expect(storeError { () throws(StoreError) in try StoreReader(at: scratch.path) } == .notAStore(scratch.path, .notARegularFile))
        let missing = scratch("missing")
        #expect(storeError { () throws(StoreError) in try StoreReader(at: missing) } == .system(.open, missing, .noSuchFileOrDirectory))
        let nowhere = scratch("no/where")
        #expect(
            storeError { () throws(StoreError) in try StoreReader(at: nowhere) }
                == .system(.openDirectory, nowhere, .noSuchFileOrDirectory))
    }

    @Test("millions of lookalikes do not keep the search busy for ever")
    func lookalikes() throws {
        // Every one is a manifest by its header, whose hash asks for a checksum over nearly the whole file.
        let count = 6000
        var flood: [UInt8] = []
        for index in 0..<count {
            let length = UInt64((count - index) * 64 - 64)
            flood += little(0x5256_4653, 4) + [1, 5, 0, 0] + little(1, 8) + little(length, 8)
            flood += [UInt8](repeating: 0, count: 16)
            let word: UInt32 = 0x0102_0304
            for bits in [0, 8, 16, 24] { flood += little(UInt64(bits == 0 ? word : word << bits | word >> (32 - bits)), 4) }
            flood += [UInt8](repeating: 0, count: 8)
        }
        let path = try scratch.write(twoCommits().file + flood)
        #expect(storeError { () throws(StoreError) in try StoreReader(at: path) } == .limit(path, .lookalikes))
    }
}
