import RVFHost
import RVFLock
import RVFReference
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

@Suite("Automatic compaction")
struct AutomaticCompactionTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    private func triggers(byteCount: UInt64, interval: Duration = .zero) -> CompactionTriggers {
        var triggers = CompactionTriggers()
        triggers.byteCount = byteCount
        triggers.interval = interval
        return triggers
    }

    private func options(_ triggers: CompactionTriggers) -> WriterOptions {
        var options = WriterOptions()
        options.lock.renewal = .manual
        options.compaction = .automatic(triggers)
        return options
    }

    private func core(
        _ host: FaultyHost<POSIXHost>, _ options: WriterOptions
    ) throws -> StoreWriterCore<FaultyHost<POSIXHost>> {
        try StoreWriterCore.open(host: host, registry: LockRegistry(), path: path, options: options)
    }

    /// Replaces the same twenty rows again and again.
    private func churn(_ version: Int) -> Transaction {
        var transaction = Transaction()
        transaction.upsert(batch(rows(1...20, dimension: 8, version: Float(version))))
        return transaction
    }

    @Test("ten thousand commits of one row leave a file of at most twice what the rows take, and a margin")
    func manyCommits() throws {
        var writer = try StoreWriter.create(at: path, dimension: 4, options: options(triggers(byteCount: 256 << 10)))
        var largest = 0
        var compactions = 0
        for number in 0..<10_000 as Range<UInt64> {
            // A hundred ids, so that nearly all rows replace others.
            let epoch = writer.snapshot().epoch
            let result = try writer.append(
                ids: [number % 100], components: [Float](repeating: Float(number), count: 4),
                options: CommitOptions(durability: .none))
            #expect(result.epoch == epoch + 1 && result.upserted == 1)
            if writer.snapshot().epoch > result.epoch { compactions += 1 }
            if number % 50 == 0 { largest = max(largest, try scratch.read().count) }
        }
        #expect(largest < 2 * (256 << 10) && compactions > 3, "\(largest) bytes, \(compactions) compactions")
        guard case .success(let report)? = writer.lastAutomaticCompaction else {
            Issue.record("\(String(describing: writer.lastAutomaticCompaction))")
            return
        }
        #expect(report.rowCount == 100 && report.byteCount < report.byteCountBefore / 2)
        try writer.close()
        let expected = (0..<100).map { (UInt64($0), [Float](repeating: Float(9_900 + $0), count: 4)) }
        #expect(try StoreReader(at: path).rows() == dictionary(expected))
        #expect(try ReferenceStore(at: path).rows == dictionary(expected))
        #expect(scratch.names == ["data.rvf"])
    }

    @Test("readers keep the snapshot that they have, and come to the new file with their next refresh")
    func readers() throws {
        var writer = try StoreWriter.create(at: path, dimension: 8, options: options(triggers(byteCount: 20_000)))
        try writer.commit(churn(0))
        let reader = try StoreReader(at: path)
        let held = reader.snapshot()
        var version = 0
        while writer.lastAutomaticCompaction == nil, version < 1000 {
            version += 1
            try writer.commit(churn(version))
            #expect(try reader.refresh())
            #expect(try reader.rows() == dictionary(rows(1...20, dimension: 8, version: Float(version))))
        }
        #expect(version < 1000)
        let epoch = writer.snapshot().epoch
        #expect(reader.snapshot().epoch == epoch)
        var seen: [UInt64: [Float]] = [:]
        try held.forEachRow { seen[$0] = $1.array() }
        #expect(seen == dictionary(rows(1...20, dimension: 8)))
    }

    @Test("a compaction that fails leaves the commit as it is, says why, and is not tried again at once")
    func noSpace() throws {
        try StoreWriter.create(at: path, dimension: 8).close()
        let host = FaultyHost(base: POSIXHost())
        var writer = try core(host, options(triggers(byteCount: 20_000, interval: .seconds(60))))
        host.script.update { $0.mostAvailableBytes = 1000 }
        var version = 0
        while writer.lastAutomaticCompaction == nil, version < 1000 {
            version += 1
            #expect(try writer.commit(churn(version)).upserted == 20)
        }
        let last = dictionary(rows(1...20, dimension: 8, version: Float(version)))
        guard case .failure(.noSpace)? = writer.lastAutomaticCompaction else {
            Issue.record("\(String(describing: writer.lastAutomaticCompaction))")
            return
        }
        let isInDoubt = writer.isInDoubt
        #expect(!isInDoubt)
        #expect(try StoreReader(at: path).rows() == last)
        // There is room again, and a minute has to pass all the same.
        host.script.update { $0.mostAvailableBytes = nil }
        #expect(try writer.commit(churn(version)).upserted == 20)
        guard case .failure(.noSpace)? = writer.lastAutomaticCompaction else {
            Issue.record("tried again at once")
            return
        }
        host.script.advance(seconds: 61)
        #expect(try writer.commit(churn(version)).upserted == 20)
        guard case .success? = writer.lastAutomaticCompaction else {
            Issue.record("\(String(describing: writer.lastAutomaticCompaction))")
            return
        }
        #expect(try StoreReader(at: path).rows() == last)
        #expect(try writer.commit(churn(version + 1)).upserted == 20)
    }

    @Test("whichever call of the compaction fails, the commit before it has returned and counts")
    func everyCall() throws {
        try StoreWriter.create(at: path, dimension: 8).close()
        do {
            var writer = try StoreWriter.open(at: path)
            for version in 1...30 { try writer.commit(churn(version)) }
        }
        let original = try scratch.read()
        var failures = 0
        for skipped in 0..<200 {
            try scratch.write(original)
            let host = FaultyHost(base: POSIXHost())
            var writer = try core(host, options(triggers(byteCount: 1)))
            // The last sync of data is the commit's; what comes then is the compaction.
            let counts = Counts()
            host.script.intercept { call in
                if call.kind == .syncData { counts.syncs += 1 }
                guard counts.syncs >= 2 else { return nil }
                counts.calls += 1
                return counts.calls == skipped + 2 && call.kind != .close && call.kind != .sleep ? .ioError : nil
            }
            let result = try writer.commit(churn(31))
            let calls = counts.calls
            host.script.intercept(nil)
            #expect(result.upserted == 20, "call \(skipped)")
            if case .failure? = writer.lastAutomaticCompaction { failures += 1 }
            let expected = dictionary(rows(1...20, dimension: 8, version: 31))
            #expect(try StoreReader(at: path).rows() == expected, "call \(skipped)")
            _ = consume writer
            for name in scratch.names where name != "data.rvf" { try FileManagement.remove(scratch(name)) }
            if skipped + 2 > calls { break }
        }
        #expect(failures > 10)
    }

    @Test("without a policy nothing is compacted, and what is not worth it is not either")
    func onlyWhenAsked() throws {
        var manual = try StoreWriter.create(at: path, dimension: 8)
        for version in 1...50 { try manual.commit(churn(version)) }
        #expect(try manual.compactIfDue() == nil, "64 MiB would not be freed")
        let report = try manual.compactIfDue(triggers(byteCount: 10_000))
        #expect(report?.rowCount == 20)
        #expect(try manual.compactIfDue(triggers(byteCount: 1)) == nil)
        let automatic = manual.lastAutomaticCompaction
        #expect(automatic == nil)
    }

    @Test("what a compaction would carry over does not ask for one, however much it is")
    func carriedSegments() throws {
        var peer = ReferenceWriter(dimension: 8)
        peer.ingest(rows(1...20, dimension: 8))
        peer.segment(0x23, [UInt8](repeating: 7, count: 300_000), listed: false)
        peer.segment(0x10, [UInt8](repeating: 8, count: 300_000))
        peer.ingest(rows(30...31, dimension: 8))
        let path = try scratch.write(peer.file)
        var writer = try StoreWriter.open(at: path, options: options(triggers(byteCount: 20_000)))
        for version in 1...5 { try writer.commit(churn(version)) }
        let automatic = writer.lastAutomaticCompaction
        #expect(automatic == nil)
        let size = try scratch.read().count
        #expect(size > 600_000)
    }

    @Test("a count of another writer that cannot be is no reason to trap")
    func hostileCount() throws {
        var peer = ReferenceWriter(dimension: 8)
        peer.ingest(rows(1...20, dimension: 8))
        var manifest = peer.manifestPayload()
        manifest.replaceSubrange(6..<14, with: [UInt8](repeating: 0xFF, count: 8))
        peer.segment(5, manifest)
        let path = try scratch.write(peer.file)
        var writer = try StoreWriter.open(at: path, options: options(triggers(byteCount: 1)))
        #expect(try writer.compactIfDue(triggers(byteCount: 1)) == nil)
        try writer.commit(churn(1))
    }

    private final class Counts: @unchecked Sendable {
        // One thread uses it: the one that makes the calls.
        var syncs = 0
        var calls = 0
    }
}
