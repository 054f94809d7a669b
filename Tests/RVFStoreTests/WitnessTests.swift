import RVFHost
import RVFLock
import RVFReference
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

@Suite("Witnesses")
struct WitnessTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }
    private var options: WriterOptions {
        var options = WriterOptions()
        options.witnesses = true
        return options
    }

    private struct Witness: Equatable {
        var offset: Int
        var action: String
        var previous: [UInt8]
        var hash: [UInt8]
    }

    /// All witnesses of a file, in its order.
    private func witnesses(in file: [UInt8]) -> [Witness] {
        var found: [Witness] = []
        var offset = 0
        while offset + 64 <= file.count {
            guard ReferenceStore.u32(file, offset) == 0x5256_4653 else {
                offset += 1
                continue
            }
            let end = offset + 64 + Int(ReferenceStore.u64(file, offset + 16))
            if file[offset + 5] == 10 {
                let payload = Array(file[(offset + 64)..<end])
                let length = Int(ReferenceStore.u32(payload, 9))
                found.append(
                    Witness(
                        offset: offset, action: String(decoding: payload[13..<(13 + length)], as: UTF8.self),
                        previous: Array(payload[(13 + length)...]), hash: ReferenceWriter.witnessHash(payload)))
            }
            offset = end
        }
        return found
    }

    private let zeros = [UInt8](repeating: 0, count: 32)

    @Test("every commit leaves one, chained to the one before, through reopening and a writer that leaves none")
    func chain() throws {
        var writer = try StoreWriter.create(at: path, dimension: 3, options: options)
        try writer.append(batch(rows(1...5, dimension: 3)))
        try writer.delete(ids: [2, 3])
        try writer.append(batch(rows([9], dimension: 3)), options: CommitOptions(durability: .singleSync))
        try writer.close()
        var silent = try StoreWriter.open(at: path)
        try silent.append(batch(rows([10], dimension: 3)))
        try silent.close()
        writer = try StoreWriter.open(at: path, options: options)
        let named = writer.snapshot().segments.filter { $0.type == .witness }
        #expect(named.count == 1)
        try writer.delete(ids: [10])
        let found = witnesses(in: try scratch.read())
        #expect(found.first?.previous == zeros)
        for (earlier, later) in zip(found, found.dropFirst()) { #expect(later.previous == earlier.hash) }
        #expect(found.prefix(3).map(\.action) == [
            "commit:epoch=1,upserted=5,deleted=0", "commit:epoch=2,upserted=0,deleted=2",
            "commit:epoch=3,upserted=1,deleted=0",
        ])
        #expect(found.last?.action == "commit:epoch=\(writer.snapshot().epoch),upserted=0,deleted=1")
        #expect(writer.snapshot().segments.count { $0.type == .witness } == 1)

        try writer.compact()
        try writer.append(batch(rows([11], dimension: 3)))
        try writer.close()
        let after = witnesses(in: try scratch.read())
        #expect(after.map(\.action).prefix(found.count) == found.map(\.action)[...])
        #expect(after.count == found.count + 2 && after[found.count].action.hasPrefix("compact:epoch="))
        for (earlier, later) in zip(after, after.dropFirst()) { #expect(later.previous == earlier.hash) }
        let report = try StoreVerification.run(at: path)
        #expect(report.witnessCount == after.count && report.witnessChainCount == 1 && report.abandonedWitnessCount == 0)
        #expect(report.warningCount == 0 && report.damageCount == 0)
        #expect(try ReferenceStore(at: path).rows == dictionary(rows([1, 4, 5, 9, 11], dimension: 3)))
    }

    @Test("after a peer wrote, a new chain begins, as it does for the peer")
    func afterPeer() throws {
        var writer = try StoreWriter.create(at: path, dimension: 3, options: options)
        try writer.append(batch(rows(1...5, dimension: 3)))
        try writer.close()
        var peer = try ReferenceWriter(reopening: scratch.read())
        peer.ingest(rows([7], dimension: 3), witnessed: true)
        peer.ingest(rows([8], dimension: 3), witnessed: true)
        try scratch.write(peer.file)
        writer = try StoreWriter.open(at: path, options: options)
        try writer.append(batch(rows([9], dimension: 3)))
        try writer.append(batch(rows([10], dimension: 3)))
        try writer.close()
        let found = witnesses(in: try scratch.read())
        #expect(found.map { $0.previous == zeros } == [true, true, false, true, false])
        let report = try StoreVerification.run(at: path)
        #expect(report.witnessCount == 5 && report.witnessChainCount == 3 && report.warningCount == 0)
    }

    @Test("a commit that failed leaves a witness that is passed over, and told about")
    func abandoned() throws {
        let script = DiskScript()
        var options = options
        options.lock.renewal = .manual
        try StoreWriter.create(at: path, dimension: 3).close()
        var writer = try StoreWriterCore.open(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, options: options)
        try writer.append(batch(rows([1], dimension: 3)))
        for _ in 0..<2 {
            script.set {
                $0.allowedEvents = 1
                $0.failures = 1
            }
            #expect(storeError { () throws(StoreError) in try writer.append(batch(rows([2], dimension: 3))) } != nil)
        }
        try writer.append(batch(rows([3], dimension: 3)))
        let report = try StoreVerification.run(at: path)
        #expect(report.witnessCount == 4 && report.witnessChainCount == 1 && report.abandonedWitnessCount == 2)
        #expect(!report.problems.contains { $0.severity > .note && $0.what.contains("witness") })
    }

    @Test("a witness that was changed, taken out or put elsewhere is found, with its place")
    func tampered() throws {
        var peer = ReferenceWriter(dimension: 2)
        for action in ["one", "two", "six", "ten"] { peer.witness(action) }
        peer.commit()
        let found = witnesses(in: peer.file)
        func broken(_ file: [UInt8]) throws -> [UInt64] {
            try StoreVerification.run(at: scratch.write(file)).problems.filter { $0.severity == .warning }.map(\.offset)
        }
        #expect(try broken(peer.file) == [])
        // Changed, with a hash of its segment that is right again.
        var rewritten = ReferenceWriter(dimension: 2)
        rewritten.witness("one")
        rewritten.segment(10, [0] + little(5, 8) + little(3, 4) + Array("TWO".utf8) + found[1].previous)
        for witness in found[2...] {
            rewritten.segment(
                10, [0] + little(1_700_000_000_000_000_000, 8) + little(3, 4) + Array(witness.action.utf8) + witness.previous)
        }
        rewritten.commit()
        #expect(try broken(rewritten.file) == [UInt64(found[2].offset)])
        // Damaged: what follows cannot be judged, and is not blamed.
        var damaged = peer.file
        damaged[found[1].offset + 70] ^= 1
        #expect(try StoreVerification.run(at: scratch.write(damaged)).problems.count { $0.severity > .note } == 1)
    }

    @Test("the chains of real stores hold", .enabled(if: StoreCorpus.isPresent, "\(StoreCorpus.whereToGetIt)"))
    func corpus() throws {
        var counts: [String: [Int]] = [:]
        for name in StoreCorpus.stores {
            let report = try StoreVerification.run(at: StoreCorpus.path(name))
            #expect(!report.problems.contains { $0.what.contains("witness") && $0.severity > .note }, "\(name)")
            if report.witnessCount > 0 {
                counts[name] = [report.witnessCount, report.witnessChainCount, report.abandonedWitnessCount]
            }
        }
        #expect(counts["security_hardened.rvf"] == [6, 2, 0])
        #expect(counts["deleted_and_replaced_rows.rvf"]?.first == 23)
        #expect(counts["deleted_and_replaced_rows_compacted.rvf"]?.first == 24)
    }
}
