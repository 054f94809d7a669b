import RVFReference
import RVFStore
import SystemPackage
import Testing

/// Whatever a file holds, reading it ends in rows or in an error that says what is wrong: never in a trap, and never
/// in rows that nobody wrote.
@Suite("Hostile files")
struct HostileFileTests {
    private let scratch = Scratch()

    private func small() -> (file: [UInt8], rows: [UInt64: [Float]]) {
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest(rows([1, 2], dimension: 2), witnessed: true)
        peer.ingest(rows([3], dimension: 2))
        peer.delete([2])
        return (peer.file, dictionary(rows([1, 2, 3], dimension: 2)))
    }

    /// Reads everything there is to read; nil where the file cannot be opened.
    private func readAll(_ file: [UInt8], _ mode: ReadMode) throws -> [UInt64: [Float]]? {
        var options = ReaderOptions()
        options.readMode = mode
        let path = try scratch.write(file)
        do throws(StoreError) {
            let reader = try StoreReader(at: path, options: options)
            let snapshot = reader.snapshot()
            _ = (snapshot.liveCount, snapshot.totalCount, snapshot.segments, snapshot.identity)
            for id in [1, 2, 3, 4] as [UInt64] { _ = storeError { () throws(StoreError) in try snapshot.vector(id: id) } }
            return try reader.rows(onDamage: .passOver)
        } catch {
            if !error.description.contains(path.string) { Issue.record("a message without the path: \(error)") }
            return nil
        }
    }

    private func isPart(_ found: [UInt64: [Float]]?, of all: [UInt64: [Float]]) -> Bool {
        (found ?? [:]).allSatisfy { all[$0.key] == $0.value }
    }

    @Test("every truncation of a small file reads as an earlier state or as no store", arguments: [ReadMode.mapped, .positional])
    func truncations(_ mode: ReadMode) throws {
        let (file, all) = small()
        var states: Set<[UInt64]> = []
        for length in stride(from: 0, to: file.count, by: mode == .mapped ? 1 : 5) {
            let found = try readAll(Array(file[..<length]), mode)
            // The expectations stand behind a condition, since each costs more than the reading does.
            if (found == nil) != (length < 162) || !isPart(found, of: all) { Issue.record("length \(length)") }
            if let found { states.insert(found.keys.sorted()) }
        }
        #expect(states == [[], [1, 2], [1, 2, 3]])
    }

    @Test("no flip of bits in any byte of a small file shows a row that nobody wrote", arguments: [ReadMode.mapped, .positional])
    func flips(_ mode: ReadMode) throws {
        let (file, all) = small()
        for position in file.indices {
            // One bit of every byte, and all of them; by calls every third byte, since there the codecs are the same.
            if mode == .positional, position % 3 != 0 { continue }
            for mask in [1 << UInt8(position % 8), 0xFF] as [UInt8] {
                var flipped = file
                flipped[position] ^= mask
                let found = try readAll(flipped, mode)
                if found == nil || !isPart(found, of: all) { Issue.record("byte \(position), mask \(mask)") }
            }
        }
    }

    @Test("a writer opens every flipped file or says why not, and what it appends is there", arguments: 0..<3)
    func writingToFlipped(_ part: Int) throws {
        let (file, _) = small()
        for position in stride(from: part, to: file.count, by: 12) {
            var flipped = file
            flipped[position] ^= 0x21
            let path = try scratch.write(flipped)
            var writer = try StoreWriter.open(at: path)
            try writer.append([Row(id: 77, vector: [1, 2])])
            let reader = try StoreReader(at: path)
            if try reader.snapshot().vector(id: 77) != [1, 2] || reader.rows(onDamage: .passOver)[77] != [1, 2] {
                Issue.record("byte \(position)")
            }
        }
    }

    @Test("random bytes are no store, with or without things like headers in them", arguments: 0..<20 as Range<UInt64>)
    func random(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var bytes = (0..<Int.random(in: 0...20_000, using: &generator)).map { _ in
            UInt8.random(in: .min ... .max, using: &generator)
        }
        #expect(try readAll(bytes, .mapped) == nil, "seed \(seed)")
        // Headers of every kind, of any length, at any place, some of them with a hash that is right.
        for _ in 0..<60 where bytes.count > 400 {
            let position = Int.random(in: 0..<(bytes.count - 200), using: &generator)
            let length = Int.random(in: 0...136, using: &generator)
            let claimed = Bool.random(using: &generator) ? UInt64(length) : generator.next() >> Int.random(in: 0...63, using: &generator)
            var inner = ReferenceWriter(dimension: 2)
            inner.file = []
            inner.segment(UInt8.random(in: 0...20, using: &generator), Array(bytes[(position + 64)..<(position + 64 + length)]))
            inner.file.replaceSubrange(16..<24, with: little(claimed, 8))
            bytes.replaceSubrange(position..<(position + 64), with: inner.file[..<64])
        }
        for mode in [ReadMode.mapped, .positional] { _ = try readAll(bytes, mode) }
    }

    @Test("counts that promise more than there is are refused before anything is allocated")
    func hugeCounts() throws {
        for offset in [14, 22 + 25] {
            var peer = ReferenceWriter(dimension: 2)
            let before = peer.file.count
            var payload = peer.manifestPayload()
            payload.replaceSubrange(offset..<(offset + 4), with: little(0xFFFF_FFFF, 4))
            peer.segment(5, payload)
            let snapshot = try StoreReader(at: try scratch.write(peer.file)).snapshot()
            #expect(snapshot.manifestOffset == 0)
            #expect(snapshot.rejectedManifests.first?.offset == UInt64(before))
        }
        var peer = ReferenceWriter(dimension: 2)
        peer.segment(1, little(2, 2) + little(0xFFFF_FFFF, 4) + [UInt8](repeating: 0, count: 40))
        peer.commit()
        let snapshot = try StoreReader(at: try scratch.write(peer.file)).snapshot()
        #expect(try snapshot.damages().count == 1)
        #expect(try snapshot.ids(onDamage: .passOver) == [])
    }
}
