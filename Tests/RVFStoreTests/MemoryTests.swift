import RVFReference
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

#if os(Linux)
    /// What is done to a store takes little memory, however long it is, and whatever a small file claims. Each in a
    /// process of its own, since the most that a process ever had never falls.
    @Suite("Memory")
    struct MemoryTests {
        /// Rows of 4 KiB, a part of which are replaced, so that their ids do not rise.
        static func makeLongStore(in scratch: Scratch) throws -> UInt64 {
            let dimension = 1022
            let megabytes = TestPowers.isLong ? 320 : 80
            var options = WriterOptions()
            options.readMode = .positional
            var writer = try StoreWriter.create(at: scratch("data.rvf"), dimension: dimension, options: options)
            var ingest = IngestOptions()
            ingest.commitByteCount = 4 << 20
            ingest.durability = .none
            let components = [Float](repeating: 0.5, count: 64 * dimension)
            let count = UInt64(megabytes * 256)
            var next: UInt64 = 0
            try writer.ingest(options: ingest) {
                guard next < count else { return nil }
                defer { next += 64 }
                return IngestBatch(ids: (next..<(next + 64)).map { $0 % (count - 640) }, components: components)
            }
            try writer.close()
            return count - 640
        }

        @Test("a compaction, a check and a repair of a long store, and a search of it by calls")
        func longStore() async {
            await #expect(processExitsWith: .success) {
                let scratch = Scratch()
                let path = scratch("data.rvf")
                let count = try MemoryTests.makeLongStore(in: scratch)
                try expectLittleMemory("check") {
                    guard try StoreVerification.run(at: path).isIntact else { fatalError("not intact") }
                }
                try expectLittleMemory("repair") {
                    let report = try StoreRepair.run(from: path, to: scratch("repaired.rvf"))
                    guard report.rowCount == count else { fatalError("\(report)") }
                }
                try FileManagement.remove(scratch("repaired.rvf"))
                try expectLittleMemory("search") {
                    var options = ReaderOptions()
                    options.readMode = .positional
                    let snapshot = try StoreReader(at: path, options: options).snapshot()
                    let query = [Float](repeating: 1, count: 1022)
                    guard try snapshot.nearest(to: query, limit: 10).count == 10 else { fatalError("not found") }
                }
                try expectLittleMemory("compaction by calls") {
                    var options = WriterOptions()
                    options.readMode = .positional
                    var writer = try StoreWriter.open(at: path, options: options)
                    guard try writer.compact().rowCount == count else { fatalError("rows are missing") }
                    try writer.close()
                }
                try expectLittleMemory("compaction") {
                    var writer = try StoreWriter.open(at: path)
                    guard try writer.compact().rowCount == count else { fatalError("rows are missing") }
                    try writer.close()
                }
            }
        }

        /// Reads all that there is to read, and writes what can be written.
        static func exercise(_ path: FilePath, _ scratch: Scratch) {
            _ = storeError { () throws(StoreError) in
                let snapshot = try StoreReader(at: path).snapshot()
                _ = storeError { () throws(StoreError) in try snapshot.ids(onDamage: .passOver) }
                _ = storeError { () throws(StoreError) in try snapshot.vector(id: 3) }
                _ = storeError { () throws(StoreError) in try snapshot.damages() }
                _ = storeError { () throws(StoreError) in try snapshot.checkpoints }
                _ = storeError { () throws(StoreError) in try snapshot.fileMetadata }
                _ = storeError { () throws(StoreError) in try snapshot.ids(where: .exists("n"), onDamage: .passOver) }
                let query = [Float](repeating: 1, count: min(snapshot.dimension, 4096))
                _ = storeError { () throws(StoreError) in
                    try snapshot.nearest(to: query, limit: 3, onDamage: .passOver)
                }
            }
            _ = storeError { () throws(StoreError) in try StoreVerification.run(at: path) }
            _ = storeError { () throws(StoreError) in try StoreRepair.run(from: path, to: scratch("repaired.rvf")) }
            try? FileManagement.remove(scratch("repaired.rvf"))
            _ = storeError { () throws(StoreError) in
                var writer = try StoreWriter.open(at: path)
                _ = storeError { () throws(StoreError) in try writer.delete(ids: [1, 2]) }
                _ = storeError { () throws(StoreError) in try writer.compact() }
                try writer.close()
            }
        }

        /// A store of everything, of a few kilobytes.
        static func richStore(_ seed: UInt64, in scratch: Scratch) throws -> [UInt8] {
            var generator = SeededGenerator(seed: seed)
            var options = WriterOptions()
            options.limits.indexedByteCount = 100
            options.witnesses = true
            var model = StoreModel()
            var writer = try StoreWriter.create(
                at: scratch("rich.rvf"), dimension: StoreModel.dimension, metric: .cosine, options: options)
            for number in 0..<12 { try writer.commit(model.randomTransaction(number, &generator)) }
            try writer.close()
            defer { try? FileManagement.remove(scratch("rich.rvf")) }
            return try scratch.read("rich.rvf")
        }

        @Test("stores of which bytes, lengths and hashes were changed at random")
        func mutations() async {
            await #expect(processExitsWith: .success) {
                let scratch = Scratch()
                let rich = try MemoryTests.richStore(1, in: scratch)
                var generator = SeededGenerator(seed: 1)
                let headers = ReferenceWriter.segments(of: rich)
                try expectLittleMemory("mutations") {
                    for _ in 0..<(TestPowers.isLong ? 5_000 : 80) {
                        var file = rich
                        for _ in 0..<Int.random(in: 1...4, using: &generator) {
                            let segment = headers.randomElement(using: &generator)!
                            // A number in the payload or the header, of one byte or more, small or large.
                            let place = Bool.random(using: &generator)
                                ? segment.offset + Int.random(in: 0..<64, using: &generator)
                                : segment.offset + 64 + Int.random(in: 0..<max(1, segment.length), using: &generator)
                            let bits = generator.next() >> UInt64.random(in: 0..<64, using: &generator)
                            let bytes = little(bits, [1, 2, 4, 8].randomElement(using: &generator)!)
                            for (position, byte) in bytes.enumerated() where place + position < file.count {
                                file[place + position] = byte
                            }
                            // Mostly with a right hash, so that what it says is read.
                            if Int.random(in: 0..<4, using: &generator) > 0 { ReferenceWriter.setHash(at: segment.offset, in: &file) }
                        }
                        if Int.random(in: 0..<8, using: &generator) == 0 {
                            file.removeLast(Int.random(in: 0..<file.count, using: &generator))
                        }
                        MemoryTests.exercise(try scratch.write(file), scratch)
                    }
                }
            }
        }

        @Test("a segment that is named thousands of times, and thousands that lie in one another", arguments: [false, true])
        func repeated(_ isNested: Bool) async {
            await #expect(processExitsWith: .success) { [isNested] in
                let scratch = Scratch()
                var peer = ReferenceWriter(dimension: 1)
                if isNested { nest(in: &peer) } else {
                    peer.ingest(rows(0..<40_000, dimension: 1))
                    let entry = peer.entries.last { $0.type == 1 }!
                    for _ in 0..<18_000 { peer.entries.append(entry) }
                }
                peer.commit()
                let path = try scratch.write(peer.file)
                try expectLittleMemory("repeated") {
                    let snapshot = try StoreReader(at: path).snapshot()
                    // The last time it is named counts.
                    guard try snapshot.ids(onDamage: .passOver).count > 30_000 else { fatalError("rows are missing") }
                    guard try StoreVerification.run(at: path).damageCount > 10 else { fatalError("found intact") }
                    MemoryTests.exercise(path, scratch)
                }
            }
        }
    }

    /// Vector segments whose rows are the headers and rows of others.
    private func nest(in peer: inout ReferenceWriter) {
        // Behind 64 bytes of a header and 6 of a head, rows of 12 bytes: after 70 bytes comes the next one.
        let depth = 3_000
        let tail = peer.vectorPayload(rows(0..<40_000, dimension: 1))
        let start = peer.file.count
        var inner: [UInt8] = []
        func wrap(_ payload: [UInt8]) -> [UInt8] {
            var one = ReferenceWriter(dimension: 1)
            one.file = []
            one.segment(1, payload)
            return one.file
        }
        inner = wrap(tail)
        for _ in 0..<4 { inner = wrap(little(1, 2) + little(UInt64((inner.count + 11) / 12), 4) + inner + pad(inner.count)) }
        peer.file += inner
        var offset = start
        for _ in 0..<5 {
            let id = ReferenceStore.u64(peer.file, offset + 8)
            let length = Int(ReferenceStore.u64(peer.file, offset + 16))
            for _ in 0..<depth { peer.entries.append((id, offset, length, 1)) }
            offset += 70
        }
        peer.distinct = Set(0..<40_000)
    }

    private func pad(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: (12 - count % 12) % 12) }
#endif
