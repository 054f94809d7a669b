import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Checking and repairing")
struct VerificationTests {
    private let scratch = Scratch()

    private func peer() -> ReferenceWriter {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows(1...10, dimension: 3), witnessed: true)
        peer.segment(0x10, Array("a module of some length".utf8))
        peer.delete([2, 3])
        peer.ingest(rows([20, 21, 5], dimension: 3, version: 1))
        return peer
    }

    private func report(_ file: [UInt8]) throws -> VerificationReport {
        try StoreVerification.run(at: try scratch.write(file))
    }

    @Test("an intact store has no damage and no warning")
    func intact() throws {
        let report = try report(peer().file)
        #expect(report.isIntact && report.warningCount == 0 && !report.isCut, "\(report.problems)")
        #expect(report.rowCount == 13 && report.epoch == 3 && report.segmentCount == 9)
        let path = scratch("own.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 3)
        for commit in 1...5 { try writer.append(batch(rows(1...UInt64(commit), dimension: 3))) }
        let own = try StoreVerification.run(at: path)
        #expect(own.problems.isEmpty, "\(own.problems)")
    }

    @Test("a flipped bit anywhere is found, at the segment in which it is")
    func everyByte() throws {
        let peer = peer()
        var starts: [Int] = []
        var offset = 0
        while offset < peer.file.count {
            starts.append(offset)
            offset += 64 + Int(ReferenceStore.u64(peer.file, offset + 16))
        }
        // The manifest in force: damage to it makes an older one count.
        let last = starts[starts.count - 1]
        for place in peer.file.indices {
            let start = starts.last { $0 <= place } ?? 0
            // Nothing says which id the manifest in force should have, and nothing asks for it.
            if start == last && (8..<16).contains(place - start) { continue }
            // Every byte of the headers and of the manifests, and some of the others.
            if place >= start + 64 && peer.file[start + 5] != 5 && place % 5 != 0 { continue }
            var file = peer.file
            file[place] ^= 0x10
            let report = try report(file)
            let end = starts.first { $0 > place } ?? file.count
            #expect(
                report.problems.contains { $0.offset >= UInt64(start) && $0.offset < UInt64(end) },
                "byte \(place) of the segment at \(start): \(report.problems)")
            let isNamed = peer.entries.contains { $0.offset == start && $0.type != 5 }
            if isNamed && place >= start + 64 { #expect(!report.isIntact, "byte \(place)") }
        }
    }

    @Test("a hopeless file is reported on, not refused")
    func hopeless() throws {
        for file in [[], [1, 2, 3], [UInt8](repeating: 0, count: 5000), Array(peer().file.dropFirst(10).prefix(900))] {
            let report = try report(file)
            #expect(!report.isIntact && report.epoch == nil)
        }
    }

    @Test("rows that are no numbers, deleted ids that do not rise, a wrong count and unknown hashes are told")
    func content() throws {
        var writer = ReferenceWriter(dimension: 3)
        writer.ingest([(1, [1, .nan, 3]), (2, [1, 2, 3]), (3, [.infinity, 0, 0])])
        let vectors = writer.entries.filter { $0.type == 1 }[0]
        writer.segment(0x22, [1, 2, 3], hash: false)
        let unknown = writer.segment(0x23, [1, 2, 3])
        writer.file[unknown + 0x28] ^= 1
        writer.distinct = [1, 2, 3, 4]
        writer.deleted = [1, 2]
        writer.commit()
        let report = try report(writer.file)
        #expect(report.isIntact)
        func told(_ offset: Int, _ severity: VerificationReport.Severity) -> Bool {
            report.problems.contains { $0.offset == UInt64(offset) && $0.severity == severity }
        }
        #expect(told(vectors.offset + 64 + 6 + 8 + 4, .warning))
        #expect(told(vectors.offset + 64 + 6 + 2 * 20 + 8, .warning))
        #expect(told(unknown, .note))
        #expect(report.problems.contains { $0.what.contains("counts 4 vectors") })
        #expect(report.noteCount == 2 + 2 || report.noteCount >= 2)
    }

    @Test("what is intact is saved, and what is not is listed", arguments: [0, 16, 64 + 30])
    func repair(_ byte: Int) throws {
        var writer = peer()
        let damaged = writer.entries.filter { $0.type == 1 }[1]
        writer.file[damaged.offset + byte] ^= 0x10
        let path = try scratch.write(writer.file)
        let report = try StoreRepair.run(from: path, to: scratch("new"))
        // The older row of id 5 comes back.
        let expected = dictionary(rows(1...10, dimension: 3)).filter { $0.key != 2 && $0.key != 3 }
        #expect(try ReferenceStore(at: scratch("new")).rows == expected)
        #expect(report.rowCount == 8 && report.carriedSegmentCount == 2)
        #expect(report.losses.contains { $0.offset == UInt64(damaged.offset) })
        #expect(try scratch.read() == writer.file)
        #expect(storeError { () throws(StoreError) in try StoreRepair.run(from: path, to: scratch("new")) }
            == .exists(scratch("new"), .store))
    }

    @Test("without any manifest the segments tell, and journals what was deleted")
    func withoutManifest() throws {
        var writer = peer()
        var offset = 0
        while offset < writer.file.count {
            let end = offset + 64 + Int(ReferenceStore.u64(writer.file, offset + 16))
            if writer.file[offset + 5] == 5 { writer.file[offset + 64] ^= 0xFF }
            offset = end
        }
        let path = try scratch.write(writer.file)
        guard case .notAStore? = storeError({ () throws(StoreError) in try StoreReader(at: path) }) else {
            Issue.record("it opened")
            return
        }
        let report = try StoreRepair.run(from: path, to: scratch("new"))
        var expected = dictionary(rows(1...10, dimension: 3) + rows([20, 21, 5], dimension: 3, version: 1))
        expected[2] = nil
        expected[3] = nil
        let reference = try ReferenceStore(at: scratch("new"))
        #expect(reference.rows == expected)
        #expect(reference.entries.map(\.type) == [1, 0x10])
        #expect(report.epoch == nil && report.carriedSegmentCount == 2)
    }

    @Test("the rows of a commit whose manifest is lost are saved when asked for")
    func unnamed() throws {
        var writer = peer()
        writer.file[writer.file.count - 30] ^= 1
        let path = try scratch.write(writer.file)
        let report = try StoreRepair.run(from: path, to: scratch("without"))
        #expect(report.lossCount > 0)
        #expect(try ReferenceStore(at: scratch("without")).rows[20] == nil)
        var options = RepairOptions()
        options.includesUnnamedRows = true
        _ = try StoreRepair.run(from: path, to: scratch("with"), options: options)
        #expect(try ReferenceStore(at: scratch("with")).rows[20] != nil)
    }

    @Test("rows that are no numbers are left out")
    func notFinite() throws {
        var writer = ReferenceWriter(dimension: 2)
        writer.ingest([(1, [1, 2]), (2, [1, 2])])
        writer.ingest([(2, [.nan, 2]), (3, [1, .infinity])])
        let report = try StoreRepair.run(from: try scratch.write(writer.file), to: scratch("new"))
        #expect(try ReferenceStore(at: scratch("new")).rows == [1: [1, 2], 2: [1, 2]])
        #expect(report.lossCount == 2)
    }
}
