import Foundation
import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Merging")
struct MergeTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }

    /// Checks a file against what should be in it, by the strict reader and by ours, opened anew and refreshed.
    private func expect(_ expected: [UInt64: [Float]], reader: StoreReader, _ note: String) throws {
        let reference = try ReferenceStore(at: path)
        #expect(reference.rows == expected, "reference, \(note)")
        #expect(reference.total == UInt64(reference.distinctCount), "\(note)")
        #expect(reference.deleted == Set(reference.deleted).sorted(), "\(note)")
        try reader.refresh()
        for reader in [reader, try StoreReader(at: path)] {
            #expect(try reader.rows() == expected, "\(note)")
            #expect(try reader.snapshot().ids() == expected.keys.sorted(), "\(note)")
            #expect(reader.snapshot().liveCount == expected.count, "\(note)")
            for id in stride(from: 0, to: 130, by: 7) as StrideTo<UInt64> {
                if try reader.snapshot().vector(id: id) != expected[id] { Issue.record("id \(id), \(note)") }
            }
        }
    }

    @Test("random transactions leave what a dictionary says, after every commit", arguments: 0..<8 as Range<UInt64>)
    func model(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var options = WriterOptions()
        // Some runs with segments that are soon full, some with all in one.
        options.limits.segmentByteCount = seed % 2 == 0 ? 1000 : 64 << 20
        options.readMode = seed % 3 == 0 ? .positional : .mapped
        // All segments with a row index, the larger ones, or none.
        options.limits.indexedByteCount = [0, 200, 64 << 20][Int(seed % 3)]
        var peer = ReferenceWriter(dimension: 2)
        peer.ingest(rows([1, 2, 3, 2], dimension: 2))
        peer.delete([2, 300])
        peer.segment(0x10, [1, 2, 3])
        peer.ingest(rows([4, 5], dimension: 2), witnessed: true)
        try scratch.write(peer.file)
        var expected = dictionary(rows([1, 3, 4, 5], dimension: 2))
        let foreign = peer.entries.filter { ![1, 5, 10].contains($0.type) }.map(\.offset)
        var writer = try StoreWriter.open(at: path, options: options)
        let reader = try StoreReader(at: path)
        var held: [(Snapshot, [UInt64: [Float]])] = []
        for commit in 0..<150 {
            let note = "seed \(seed), commit \(commit)"
            var transaction = Transaction()
            var used: Set<UInt64> = []
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let count = [1, 1, 2, 12, 40].randomElement(using: &generator)!
                let ids = (0..<count).map { _ in UInt64.random(in: 0..<120, using: &generator) }
                if Bool.random(using: &generator) {
                    transaction.delete(ids: ids)
                    for id in ids { expected[id] = nil }
                } else {
                    let new = rows(ids.filter { used.insert($0).inserted }, dimension: 2, version: Float(commit + 1))
                    transaction.upsert(batch(new))
                    expected.merge(dictionary(new)) { $1 }
                }
            }
            if try writer.commit(transaction).epoch == peer.epoch { continue }
            try expect(expected, reader: reader, note)
            #expect(try writer.snapshot().ids() == expected.keys.sorted(), "\(note)")
            let kept = try ReferenceStore(at: path).entries.filter { ![1, 5, 10].contains($0.type) }.map(\.offset)
            #expect(kept == foreign, "\(note)")
            if commit % 20 == 0 { held.append((reader.snapshot(), expected)) }
            if commit % 37 == 36 {
                try writer.close()
                writer = try StoreWriter.open(at: path, options: options)
            }
        }
        for (snapshot, rows) in held {
            var found: [UInt64: [Float]] = [:]
            try snapshot.forEachRow { found[$0] = $1.array() }
            #expect(found == rows, "seed \(seed)")
        }
    }

    @Test("thousands of one-row commits leave a short directory, a small file and readers that open it")
    func oneRowCommits() throws {
        let isLong = ProcessInfo.processInfo.environment["RVF_LONG"] == "1"
        let count = isLong ? 100_000 : 20_000
        let dimension = 64
        var options = WriterOptions()
        options.lock.renewal = .manual
        let script = DiskScript()
        script.set { $0.isRecording = false }
        var writer = try StoreWriterCore.create(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, dimension: dimension, metric: .squaredL2,
            options: options)
        var vector = [Float](repeating: 0.5, count: dimension)
        let clock = ContinuousClock()
        var windows: [(median: Duration, late: Duration)] = []
        var times: [Duration] = []
        var longestDirectory = 0
        for id in 0..<UInt64(count) {
            vector[0] = Float(id)
            let start = clock.now
            try writer.append([Row(id: id, vector: vector)])
            times.append(clock.now - start)
            longestDirectory = max(longestDirectory, writer.snapshot.manifest.payload.directory.count)
            if times.count == 1000 {
                times.sort()
                windows.append((times[500], times[990]))
                times = []
            }
        }
        let size = try #require(try FileManager.default.attributesOfItem(atPath: path.string)[.size] as? Int)
        let ratio = Double(size) / Double(count * (8 + 4 * dimension))
        print("one-row commits: \(count), \(size) bytes, \(ratio) times the rows', at most \(longestDirectory) entries")
        for (number, window) in windows.enumerated() where number % (windows.count / 10) == 0 {
            print("  from \(number * 1000): median \(window.median), p99 \(window.late)")
        }
        #expect(ratio < 12)
        #expect(longestDirectory < 80)
        let reader = try StoreReader(at: path)
        #expect(try reader.snapshot().ids() == Array(0..<UInt64(count)))
        #expect(try reader.snapshot().vector(id: 4321)?.first == 4321)
        if !isLong { #expect(try ReferenceStore(at: path).rows.count == count) }
    }

    @Test("a file of many small segments, with others between them, is brought in order with the next commit")
    func foreignFile() throws {
        var peer = ReferenceWriter(dimension: 1)
        var expected: [UInt64: [Float]] = [:]
        for id in 0..<300 as Range<UInt64> {
            let new = rows([id, id / 2], dimension: 1, version: Float(id))
            // Within one segment the later row counts.
            peer.distinct.formUnion(new.map(\.0))
            peer.segment(1, peer.vectorPayload(new))
            expected.merge(dictionary(new)) { $1 }
            if id % 50 == 49 { peer.segment(0x0E, [UInt8(id % 256)]) }
        }
        peer.commit()
        try scratch.write(peer.file)
        let foreign = peer.entries.filter { ![1, 5].contains($0.type) }.map(\.offset)
        var writer = try StoreWriter.open(at: path)
        let new = rows([1000], dimension: 1)
        try writer.append(batch(new))
        expected.merge(dictionary(new)) { $1 }
        let reference = try ReferenceStore(at: path)
        #expect(reference.rows == expected)
        #expect(reference.entries.count < 40)
        #expect(reference.entries.filter { $0.type != 1 }.map(\.offset) == foreign)
        #expect(Array(try scratch.read().prefix(peer.file.count)) == peer.file)
    }

    @Test("a damaged segment is never rewritten, and hides no older row that can be read by a merge")
    func damaged() throws {
        var writer = try StoreWriter.create(at: path, dimension: 1)
        for id in 0..<5 as Range<UInt64> { try writer.append(batch(rows([id], dimension: 1))) }
        let bad = writer.snapshot().segments[2]
        try writer.close()
        var file = try scratch.read()
        file[Int(bad.offset) + 64 + 6] = 1
        try scratch.write(file)
        var again = try StoreWriter.open(at: path)
        for id in 10..<60 as Range<UInt64> { try again.append(batch(rows([id], dimension: 1))) }
        #expect(again.snapshot().segments.contains(bad))
        #expect(again.snapshot().segments.count < 12)
        // The damaged row claims to be a newer one of id 1.
        #expect(try StoreReader(at: path).rows(onDamage: .passOver).keys.contains(0))
        var repaired = try scratch.read()
        repaired[Int(bad.offset) + 64 + 6] = 2
        try scratch.write(repaired)
        #expect(try StoreReader(at: path).snapshot().ids() == Array(0..<5) + Array(10..<60))
    }
}
