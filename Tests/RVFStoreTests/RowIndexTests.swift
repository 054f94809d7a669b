import Foundation
import RVFReference
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

@Suite("Row indexes")
struct RowIndexTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    /// Every segment, however small, has an index.
    private var options: WriterOptions {
        var options = WriterOptions()
        options.limits.indexedByteCount = 0
        return options
    }

    private func reader(_ mode: ReadMode = .mapped) throws -> StoreReader {
        var options = ReaderOptions()
        options.readMode = mode
        return try StoreReader(at: path, options: options)
    }

    private func expect(_ expected: [UInt64: [Float]], _ note: String = "") throws {
        #expect(try ReferenceStore(at: path).rows == expected, "reference, \(note)")
        for mode in [ReadMode.mapped, .positional] {
            let reader = try reader(mode)
            let snapshot = reader.snapshot()
            for (id, vector) in expected where try snapshot.vector(id: id) != vector {
                Issue.record("id \(id), \(mode), \(note)")
            }
            #expect(try snapshot.vector(id: 1 << 40) == nil)
            #expect(try reader.rows() == expected, "\(mode), \(note)")
            #expect(try snapshot.ids() == expected.keys.sorted(), "\(mode), \(note)")
        }
    }

    private func indexedCount() throws -> Int {
        let core = try reader().snapshot().core
        return try core.vectorTable().segments.count { try $0.isIndexed(in: core.source) }
    }

    @Test("segments from a length on have one that readers go by, as the specification gives its bytes, and no manifest names it")
    func written() throws {
        var options = options
        options.limits.indexedByteCount = 6 + 3 * 16
        var writer = try StoreWriter.create(at: path, dimension: 2, options: options)
        try writer.append(batch(rows([30, 10, 20], dimension: 2)))
        try writer.append(batch(rows([41, 42], dimension: 2)))
        try writer.close()
        let file = try scratch.read()
        let places = try RowIndexForge.places(in: file)
        #expect(places.count == 1)
        let place = try #require(places.first)
        let content = try RowIndexForge.Content(of: file, vectors: place.vectors)
        #expect(Array(file[(place.offset + 64)..<(place.offset + 64 + place.length)]) == content.payload)
        #expect(ReferenceStore.hashIsRight(file, at: place.offset, length: place.length))
        #expect(try reader().snapshot().segments.allSatisfy { $0.type == .vectors })
        #expect(try indexedCount() == 1)
        try expect(dictionary(rows([10, 20, 30, 41, 42], dimension: 2)))
        #expect(try StoreVerification.run(at: path).problems.isEmpty)
    }

    @Test("an index of a cosine store keeps each row's sum of squares, to the bit that a search computes")
    func squares() throws {
        var writer = try StoreWriter.create(at: path, dimension: 37, metric: .cosine, options: options)
        let new = rows([5, 1, 9], dimension: 37)
        try writer.append(batch(new))
        let file = try scratch.read()
        let place = try #require(try RowIndexForge.places(in: file).first)
        let start = place.offset + 64 + 80 + 3 * 12
        #expect(place.length == 80 + 3 * 16)
        let kernel = DistanceKernel(query: new[0].1)
        for (row, vector) in new.enumerated() {
            let bytes = vector.1.flatMap { little(UInt64($0.bitPattern), 4) }
            let sum = kernel.squares(bytes.bytes)
            #expect(ReferenceStore.u32(file, start + 4 * row) == sum.bitPattern)
        }
    }

    @Test("a point read, and the first commit after opening, check no rows but those that they need")
    func untouched() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2, options: options)
        // Too far apart in size to be merged with what comes.
        try writer.append(batch(rows(1...500, dimension: 2)))
        try writer.append(batch(rows(600...640, dimension: 2)))
        let damaged = Int(writer.snapshot().segments[0].offset) + 64 + 6 + 16 * 100 + 9
        try writer.close()
        var file = try scratch.read()
        file[damaged] ^= 1
        try scratch.write(file)
        let snapshot = try reader().snapshot()
        // The rows of the damaged segment are not asked, though nothing else can say that the id is not there.
        #expect(try snapshot.vector(id: 620) == rows([620], dimension: 2)[0].1)
        #expect(try snapshot.vector(id: 599) == nil)
        #expect(storeError { () throws(StoreError) in try snapshot.vector(id: 3) } != nil)
        #expect(storeError { () throws(StoreError) in try snapshot.ids() } != nil)
        var again = try StoreWriter.open(at: path, options: options)
        try again.append(batch(rows([700], dimension: 2)))
        #expect(try again.delete(ids: [3, 610, 9999]).deleted == 2)
        #expect(again.snapshot().totalCount == 542 && again.snapshot().deletedIDs == [3, 610])
        #expect(try again.snapshot().vector(id: 700) != nil)
        #expect(storeError { () throws(StoreError) in try again.compact() } != nil)
    }

    @Test("a count that nobody has made is made at the next commit, and deleted ids without rows leave the list")
    func counted() throws {
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest(rows(1...20, dimension: 2))
        peer.delete([7, 500])
        peer.distinct.insert(77)
        // More than 64 KiB behind it: opening publishes it again, as it is.
        peer.commit()
        peer.segment(0x23, [UInt8](repeating: 9, count: 70_000), listed: false)
        try scratch.write(peer.file)
        try StoreWriter.open(at: path, options: options).close()
        #expect(try reader().snapshot().totalCount == 21)
        var writer = try StoreWriter.open(at: path, options: options)
        try writer.append(batch(rows([30], dimension: 2)))
        #expect(writer.snapshot().totalCount == 21 && writer.snapshot().deletedIDs == [7])
        try writer.close()
        var again = try StoreWriter.open(at: path, options: options)
        try again.append(batch(rows([31], dimension: 2)))
        #expect(again.snapshot().totalCount == 22)
    }

    @Test("a deleted id stays on the list where neither an index nor rows can tell whether it is there")
    func undecided() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2, options: options)
        try writer.append(batch(rows(1...100, dimension: 2)))
        try writer.delete(ids: [50])
        try writer.close()
        var peer = try ReferenceWriter(reopening: try scratch.read(), keepsMetric: true)
        peer.ingest(rows([200], dimension: 2))
        let place = try #require(try RowIndexForge.places(in: peer.file).first)
        var file = peer.file
        for byte in 0..<80 { file[place.offset + 64 + 80 + byte] = 0 }
        // The id of row 49 in the segment.
        file[place.vectors + 64 + 6 + 49 * 16] ^= 0x80
        try scratch.write(file)
        var again = try StoreWriter.open(at: path, options: options)
        try again.append(batch(rows([300], dimension: 2)))
        #expect(again.snapshot().deletedIDs == [50])
        #expect(try again.snapshot().vector(id: 300) != nil)
        #expect(storeError { () throws(StoreError) in try again.snapshot().vector(id: 7) } != nil)
    }

    @Test("what another writer appends, deletes and compacts is read, and stale indexes do no harm, go unnamed and then go")
    func peers() throws {
        var writer = try StoreWriter.create(at: path, dimension: 2, options: options)
        try writer.append(batch(rows((1...60).reversed(), dimension: 2)))
        try writer.append(batch(rows([3, 70], dimension: 2, version: 1)))
        try writer.close()
        var expected = dictionary(rows(1...60, dimension: 2) + rows([3, 70], dimension: 2, version: 1))
        var peer = try ReferenceWriter(reopening: try scratch.read(), keepsMetric: true)
        peer.ingest(rows([4, 80], dimension: 2, version: 2), witnessed: true)
        peer.delete([9])
        try scratch.write(peer.file)
        expected.merge(dictionary(rows([4, 80], dimension: 2, version: 2))) { $1 }
        expected[9] = nil
        try expect(expected, "appended")
        #expect(try indexedCount() == 2)
        for alignment in [1, 64] {
            let compacted = try ReferenceWriter.compacting(peer.file, keepsMetric: true, alignment: alignment)
            #expect(compacted.entries.count { $0.type == 0xF1 } == 2)
            // The inode of a store that is open is never written anew by others either.
            try FileManagement.remove(path)
            try scratch.write(compacted.file)
            try expect(expected, "compacted")
            #expect(try indexedCount() == 0)
            var again = try StoreWriter.open(at: path, options: options)
            try again.append(batch(rows([90], dimension: 2)))
            #expect(!again.snapshot().segments.contains { $0.type == .rowIndex })
            try expect(expected.merging(dictionary(rows([90], dimension: 2))) { $1 }, "named no more")
            try again.compact()
            try expect(expected.merging(dictionary(rows([90], dimension: 2))) { $1 }, "compacted again")
            let file = try scratch.read()
            #expect(try indexedCount() == 1 && file.indices.dropLast(8).count {
                file[$0] == 0x52 && Array(file[$0..<($0 + 8)]) == RowIndexForge.magic
            } == 1)
            let report = try StoreVerification.run(at: path)
            #expect(report.isIntact && report.warningCount == 0)
        }
    }

    @Test("a segment of the same type that is not ours is another writer's, and is carried byte for byte")
    func foreign() throws {
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest(rows(1...9, dimension: 2))
        let payload = Array("RVROWIDY, and other things of somebody else's".utf8)
        peer.segment(0xF1, payload)
        peer.segment(0xF1, [1, 2], listed: false)
        peer.commit()
        try scratch.write(peer.file)
        var writer = try StoreWriter.open(at: path, options: options)
        try writer.append(batch(rows([10], dimension: 2)))
        #expect(writer.snapshot().segments.count { $0.type == .rowIndex } == 1)
        #expect(try writer.compact().carriedSegmentCount == 2)
        let entry = try #require(try ReferenceStore(at: path).entries.first { $0.type == 0xF1 })
        #expect(Array(try scratch.read()[(entry.offset + 64)...].prefix(payload.count)) == payload)
        try expect(dictionary(rows(1...10, dimension: 2)))
    }

    @Test("what a power cut leaves of an index costs no row", arguments: [CommitOptions.Durability.singleSync, .none])
    func torn(_ durability: CommitOptions.Durability) throws {
        var writer = try StoreWriter.create(at: path, dimension: 2, options: options)
        try writer.append(batch(rows([1, 2], dimension: 2)))
        let new = rows((100...400).reversed(), dimension: 2)
        try writer.append(batch(new), options: CommitOptions(durability: durability))
        try writer.close()
        let whole = try scratch.read()
        let place = try #require(try RowIndexForge.places(in: whole).last)
        let end = place.offset + 64 + place.length
        // Sectors that were not written: the header's, some of the body's, all.
        for lost in [place.offset..<(place.offset + 64), (place.offset + 512)..<(place.offset + 1024), place.offset..<end] {
            var file = whole
            for byte in lost { file[byte] = 0 }
            try scratch.write(file)
            #expect(try reader().snapshot().epoch == 2)
            try expect(dictionary(rows([1, 2], dimension: 2) + new), "\(lost)")
            var again = try StoreWriter.open(at: path, options: options)
            try again.append(batch(rows([3], dimension: 2)))
            try expect(dictionary(rows([1, 2, 3], dimension: 2) + new), "\(lost)")
        }
    }

    @Test("finding a row among half a million takes no memory for the others", .enabled(if: SeenMemory.isKnown))
    func memory() throws {
        let ids = Array(0..<500_000 as Range<UInt64>)
        var writer = try StoreWriter.create(at: path, dimension: 4)
        try writer.append(ids: ids, components: [Float](repeating: 0.5, count: 4 * ids.count))
        try writer.close()
        let probe = try Probe("find", path, ["first=250000", "count=1000"])
        let line = try #require(probe.readLine())
        let kilobytes = try #require(line.split(separator: "=").last.flatMap { Int($0) })
        #expect(line.hasPrefix("found=1000 ") && kilobytes < 2000, "\(line)")
    }
}

private enum SeenMemory {
    /// Whether the system tells how much memory is no file's.
    static let isKnown =
        FileManager.default.contents(atPath: "/proc/self/status").map { String(decoding: $0, as: UTF8.self) }?
        .contains("RssAnon") == true
}
