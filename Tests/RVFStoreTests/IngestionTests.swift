import Foundation
import RVFReference
import RVFStore
import Synchronization
import SystemPackage
import Testing

@Suite("Taking in more rows than memory holds")
struct IngestionTests {
    private let scratch = Scratch()

    private func ingestBatch(_ rows: [(UInt64, [Float])]) -> IngestBatch {
        IngestBatch(ids: rows.map(\.0), components: rows.flatMap(\.1))
    }

    private func expect(_ path: FilePath, holds expected: [UInt64: [Float]]) throws {
        #expect(try ReferenceStore(at: path).rows == expected)
        #expect(try StoreReader(at: path).rows() == expected)
    }

    /// Options with which ten rows of dimension 4 make a commit, and what they tell.
    private func tenRows() -> (options: IngestOptions, told: Told) {
        let told = Told()
        var options = IngestOptions()
        options.commitByteCount = 10 * 24
        options.progress = { progress in told.values.withLock { $0.append(progress) } }
        return (options, told)
    }

    private final class Told: Sendable {
        let values = Mutex<[IngestProgress]>([])
        var rowCounts: [Int] { values.withLock { $0.map(\.rowCount) } }
    }

    @Test("batches of any length become commits of a bounded one", arguments: [1, 3, 7, 10, 25, 100])
    func bounded(_ batchRowCount: Int) throws {
        let path = scratch("data.rvf")
        let all = rows(1...100, dimension: 4)
        let (options, told) = tenRows()
        var writer = try StoreWriter.create(at: path, dimension: 4)
        var next = 0
        let result = try writer.ingest(options: options) {
            guard next < all.count else { return nil }
            defer { next += batchRowCount }
            return ingestBatch(Array(all[next..<min(next + batchRowCount, all.count)]))
        }
        try expect(path, holds: dictionary(all))
        #expect(told.rowCounts == Array(stride(from: 10, through: 100, by: 10)))
        #expect(told.values.withLock { $0.last } == result)
        #expect(result.commitCount == 10 && result.byteCount == 2400 && result.epoch == 10)
        #expect(result.isDurable && !result.isCancelled)
    }

    @Test("a row replaces an earlier one of its id, as if each batch had been appended by itself")
    func replacing() throws {
        let seed: UInt64 = 20_261_121
        var generator = SeededGenerator(seed: seed)
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 4)
        var ingestion = Ingestion(into: writer, options: tenRows().options)
        var expected: [UInt64: [Float]] = [:]
        for version in 0..<60 {
            let ids = (UInt64(1)...40).shuffled(using: &generator).prefix(Int.random(in: 0...17, using: &generator))
            let batch = rows(version % 3 == 0 ? ids.sorted() : Array(ids), dimension: 4, version: Float(version))
            try ingestion.add(ids: batch.map(\.0), components: batch.flatMap(\.1), to: &writer)
            expected.merge(dictionary(batch)) { $1 }
        }
        try ingestion.finish(in: &writer)
        #expect(try StoreReader(at: path).rows() == expected, "seed \(seed)")
        #expect(try ReferenceStore(at: path).rows == expected, "seed \(seed)")
    }

    @Test("a bad row is named by its place in the whole stream, and the commits before it stay")
    func badRow() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 4)
        var (options, told) = tenRows()
        options.durability = .none
        var batches = [rows(1...12, dimension: 4), rows(13...24, dimension: 4), rows(25...36, dimension: 4)]
        batches[2][5].1[3] = .infinity
        var source = batches.makeIterator()
        let error = storeError { () throws(StoreError) in
            try writer.ingest(options: options) { source.next().map(ingestBatch) }
        }
        #expect(error == .invalidRow(path, index: 29, id: 30, .notFinite(component: 3)))
        #expect(told.rowCounts == [10, 20])
        try expect(path, holds: dictionary(rows(1...20, dimension: 4)))
        // Begun again behind what is committed.
        batches[2][5].1[3] = 0
        let rest = Array(batches.joined().dropFirst(20))
        var again = [ingestBatch(rest)].makeIterator()
        #expect(try writer.ingest(options: options) { again.next() }.rowCount == 16)
        try expect(path, holds: dictionary(Array(batches.joined())))
    }

    @Test("within a batch an id stands once, and a batch has the store's dimension")
    func refusedBatches() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 4)
        var ingestion = Ingestion(into: writer, options: tenRows().options)
        try ingestion.add(ids: [1, 2, 3], components: rows(1...3, dimension: 4).flatMap(\.1), to: &writer)
        let twice = storeError { () throws(StoreError) in
            try ingestion.add(ids: [9, 8, 9], components: [Float](repeating: 0, count: 12), to: &writer)
        }
        #expect(twice == .invalidRow(path, index: 5, id: 9, .repeatedID(firstIndex: 3)))
        let short = storeError { () throws(StoreError) in
            try ingestion.add(ids: [9, 8], components: [Float](repeating: 0, count: 7), to: &writer)
        }
        #expect(short == .invalidRow(path, index: 4, id: 8, .dimension(expected: 4, found: 3)))
        let none = storeError { () throws(StoreError) in try ingestion.add(ids: [], components: [1], to: &writer) }
        #expect(none == .invalidRow(path, index: 3, id: 0, .dimension(expected: 4, found: 5)))
        // What came before is not lost with a batch that is refused.
        #expect(try ingestion.finish(in: &writer).rowCount == 3)
        try expect(path, holds: dictionary(rows(1...3, dimension: 4)))
    }

    @Test("a cancellation ends it between two commits, and it can go on from there")
    func cancellation() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 4)
        let all = rows(1...100, dimension: 4)
        let told = Told()
        var options = tenRows().options
        let cancellation = StoreCancellation()
        options.cancellation = cancellation
        options.durability = .none
        options.progress = { progress in
            told.values.withLock { $0.append(progress) }
            if progress.rowCount == 30 { cancellation.cancel() }
        }
        var calls = 0
        let result = try writer.ingest(options: options) {
            calls += 1
            return calls <= 4 ? ingestBatch(Array(all[((calls - 1) * 25)..<(calls * 25)])) : nil
        }
        #expect(calls == 2)
        #expect(result.isCancelled && result.isDurable && result.rowCount == 30)
        #expect(told.values.withLock { $0.map(\.isDurable) } == [false, false, false, true])
        let isInDoubt = writer.isInDoubt
        #expect(!isInDoubt)
        try expect(path, holds: dictionary(Array(all.prefix(30))))
        var rest = [ingestBatch(Array(all.dropFirst(result.rowCount)))].makeIterator()
        #expect(try writer.ingest { rest.next() }.rowCount == 70)
        try expect(path, holds: dictionary(all))
    }

    @Test("a source without rows makes no commit")
    func empty() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 4)
        let before = try scratch.read()
        var batches = [IngestBatch(ids: [], components: [])].makeIterator()
        let result = try writer.ingest { batches.next() }
        #expect(result.rowCount == 0 && result.commitCount == 0 && result.epoch == 0 && result.isDurable)
        #expect(try scratch.read() == before)
    }

    #if os(Linux)
        @Test("memory stays far below the length of the file")
        func memory() async {
            await #expect(processExitsWith: .success) {
                let scratch = Scratch()
                var writerOptions = WriterOptions()
                // A map's pages count as memory while they are looked at, though the system may take them at any time.
                writerOptions.readMode = .positional
                // Rows of 4 KiB.
                let dimension = 1022
                var writer = try StoreWriter.create(at: scratch("data.rvf"), dimension: dimension, options: writerOptions)
                var options = IngestOptions()
                options.commitByteCount = 4 << 20
                options.durability = .none
                let components = [Float](repeating: 0.5, count: 64 * dimension)
                var next: UInt64 = 0
                let before = mostMemory()
                let result = try writer.ingest(options: options) {
                    guard next < 400 * 64 else { return nil }
                    defer { next += 64 }
                    return IngestBatch(ids: Array(next..<(next + 64)), components: components)
                }
                let grown = mostMemory() - before
                try writer.close()
                // 100 MiB of rows; a commit, the batch and what is read at once are 6 MiB.
                guard result.byteCount == 400 << 18, grown <= 24 << 20 else {
                    fatalError("\(grown) bytes of memory for \(result.byteCount) bytes of rows")
                }
            }
        }
    #endif
}
