import Foundation
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

@Suite("A file system that is full", .enabled(if: TestPowers.canMount, "\(TestPowers.mountAbsence)"))
struct FullDiskTests {
    /// A small file system.
    private struct Place: ~Copyable {
        let directory: TemporaryDirectory
        let mount: TemporaryMount

        init(size: String) throws {
            let directory = try TemporaryDirectory()
            mount = try TemporaryMount(in: directory.path, options: "size=\(size)")
            self.directory = directory
        }

        var path: FilePath { mount.path.appending("data.rvf") }
        var filler: FilePath { mount.path.appending("filler") }

        var names: [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: mount.path.string)) ?? []).sorted()
        }

        /// Takes all the room that is left.
        static func fill(_ filler: FilePath) throws {
            let file = try FileDescriptor.open(filler, .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
            defer { try? file.close() }
            for size in [4096, 1] {
                do {
                    while true { try file.writeAll([UInt8](repeating: 1, count: size)) }
                } catch let error as Errno {
                    #expect(error == .noSpace)
                }
            }
        }
    }

    /// Rows of 4 KB.
    private static func wideRows(_ ids: ClosedRange<UInt64>, version: Float = 0) -> [(UInt64, [Float])] {
        rows(ids, dimension: 1024, version: version)
    }

    @Test(
        "commits are refused in their middle, cost nothing that was acknowledged, and go on when there is room again",
        arguments: [CommitOptions.Durability.ordered, .singleSync, .none])
    func commits(_ durability: CommitOptions.Durability) throws {
        let place = try Place(size: "400k")
        var writer = try StoreWriter.create(at: place.path, dimension: 1024)
        let reader = try StoreReader(at: place.path)
        var expected: [UInt64: [Float]] = [:]
        var refusals = 0
        for number in 0..<60 as Range<UInt64> {
            let new = Self.wideRows((number * 3)...(number * 3 + 2))
            let error = storeError { () throws(StoreError) in
                try writer.append(batch(new), options: CommitOptions(durability: durability))
            }
            if let error {
                #expect(error == .system(.write, place.path, .noSpace))
                refusals += 1
            } else {
                expected.merge(dictionary(new)) { $1 }
            }
            try reader.refresh()
            #expect(try reader.rows() == expected, "commit \(number)")
            // What was left of refused commits takes room, too, and nobody may give it back.
            if refusals == 3 { try place.mount.remount("size=2m") }
        }
        #expect(refusals >= 3 && expected.count > 120)
        try writer.close()
        #expect(try StoreReader(at: place.path).rows() == expected)
        #expect(try StoreVerification.run(at: place.path).isIntact)
    }

    @Test("a compaction that has no room any more leaves the store as it was, and nothing beside it")
    func compaction() throws {
        let place = try Place(size: "1200k")
        var writer = try StoreWriter.create(at: place.path, dimension: 1024)
        try writer.append(batch(Self.wideRows(1...30)))
        try writer.delete(ids: Array(1...10))
        let expected = dictionary(Self.wideRows(11...30))
        var work = WorkOptions()
        let filler = place.filler
        // When it has looked how much room there is: the first third is reading.
        work.progress = { progress in
            guard progress.doneByteCount > progress.totalByteCount / 2 else { return }
            #expect(throws: Never.self) { try Place.fill(filler) }
        }
        let error = storeError { () throws(StoreError) in try writer.compact(options: work) }
        #expect(error == .system(.write, place.path, .noSpace))
        #expect(place.names == ["data.rvf", "data.rvf.lock", "filler"])
        #expect(try StoreReader(at: place.path).rows() == expected)

        let full = storeError { () throws(StoreError) in try writer.compact() }
        guard case .noSpace(place.path, _, _)? = full else {
            Issue.record("\(String(describing: full))")
            return
        }
        try FileManagement.remove(filler)
        try writer.compact()
        try writer.append(batch(Self.wideRows(40...40)))
        try writer.close()
        #expect(try StoreReader(at: place.path).rows() == expected.merging(dictionary(Self.wideRows(40...40))) { $1 })
        #expect(place.names == ["data.rvf"])
    }

    @Test("a store can be read, and neither created nor opened for writing, until there is room again")
    func opening() throws {
        let place = try Place(size: "400k")
        var first = try StoreWriter.create(at: place.path, dimension: 1024)
        try first.append(batch(Self.wideRows(1...3)))
        try first.close()
        try Place.fill(place.filler)
        let other = place.mount.path.appending("other.rvf")
        #expect(storeError { () throws(StoreError) in _ = try StoreWriter.create(at: other, dimension: 3) } != nil)
        #expect(storeError { () throws(StoreError) in _ = try StoreWriter.open(at: place.path) } != nil)
        #expect(try StoreReader(at: place.path).rows() == dictionary(Self.wideRows(1...3)))
        #expect(place.names == ["data.rvf", "filler"])
        try FileManagement.remove(place.filler)
        try StoreWriter.create(at: other, dimension: 3).close()
        var writer = try StoreWriter.open(at: place.path)
        try writer.append(batch(Self.wideRows(4...4)))
        try writer.close()
        #expect(try StoreReader(at: place.path).rows() == dictionary(Self.wideRows(1...4)))
    }
}
