import RVFHost
import RVFLock
import RVFStore
import SystemPackage

extension FuzzTarget {
    static let storeTarget = FuzzTarget("store", seeds: StoreSeeds.stores) { input in
        try StoreCheck.run(input)
        // As it would be with right hashes, which a search does not find.
        var finished = input
        StoreCheck.setHashes(&finished)
        if finished != input { try StoreCheck.run(finished) }
    }
}

/// Everything that can be done with a file.
private enum StoreCheck {
    static func run(_ file: [UInt8]) throws {
        try FuzzDirectory.withDirectory { directory in
            let path = directory.path("data.rvf")
            try directory.write(file, to: "data.rvf")
            let report = try StoreVerification.run(at: path)
            let rows = try read(path, report)
            try repair(path, to: directory.path("repaired.rvf"), rows: report.isIntact ? rows : nil)
            try FuzzFailure.unless(try directory.read("data.rvf") == file, "reading changed the file")
            if let rows { try write(path, rows) }
        }
    }

    /// Where a header stands, its payload gets the hash and the footer that it should have.
    static func setHashes(_ file: inout [UInt8]) {
        var offset = 0
        while offset + SegmentHeader.byteCount <= file.count {
            guard var header = SegmentHeader(file.bytes.extracting(offset..<file.count)) else {
                offset += 1
                continue
            }
            let start = offset + SegmentHeader.byteCount
            let end = Int(clamping: UInt64(start).addingReportingOverflow(header.payloadByteCount).partialValue)
            guard start <= end, end <= file.count else {
                offset += 1
                continue
            }
            if header.type == .metadata, end - start >= MetadataFooter.byteCount {
                var body = Array(file[start..<(end - MetadataFooter.byteCount)])
                MetadataFooter.append(to: &body)
                file.replaceSubrange(start..<end, with: body)
            }
            header.hash = ContentHash(checksum: CRC32.of(file.bytes.extracting(start..<end)))
            file.replaceSubrange(offset..<start, with: header.encoded)
            offset = end
        }
    }

    /// The rows that both ways of reading show; nil where the store cannot be opened.
    private static func read(_ path: FilePath, _ report: VerificationReport) throws -> [UInt64: [UInt32]]? {
        var all: [[UInt64: [UInt32]]] = []
        for mode in [ReadMode.mapped, .positional] {
            var options = ReaderOptions()
            options.readMode = mode
            let reader: StoreReader
            do throws(StoreError) {
                reader = try StoreReader(at: path, options: options)
            } catch {
                try FuzzFailure.unless(error.description.contains(path.string), "a message without the path: \(error)")
                try FuzzFailure.unless(!report.isIntact, "an intact store cannot be opened: \(error)")
                return nil
            }
            let snapshot = reader.snapshot()
            let rows = try rows(of: snapshot)
            let damages = try snapshot.damages()
            try FuzzFailure.unless(damages.isEmpty || !report.isIntact, "an intact store is damaged: \(damages)")
            for id in rows.keys.prefix(4) where damages.isEmpty {
                let found = try snapshot.vector(id: id)?.map(\.bitPattern)
                try FuzzFailure.unless(found == rows[id], "row \(id) is found as \(found ?? [])")
            }
            lookAround(snapshot, Array(rows.keys.prefix(4)))
            all.append(rows)
        }
        try FuzzFailure.unless(all[0] == all[1], "mapped and by calls, other rows are read")
        return all[0]
    }

    private static func rows(of snapshot: Snapshot) throws -> [UInt64: [UInt32]] {
        var rows: [UInt64: [UInt32]] = [:]
        try snapshot.forEachRow(onDamage: .passOver) { rows[$0] = $1.array().map(\.bitPattern) }
        return rows
    }

    /// What may fail, and must not trap.
    private static func lookAround(_ snapshot: Snapshot, _ ids: [UInt64]) {
        _ = (snapshot.liveCount, snapshot.segments.map(\.type.description), snapshot.identity, snapshot.profile)
        for id in ids + [0, 3, .max] {
            _ = try? snapshot.vector(id: id)
            _ = try? snapshot.metadata(of: id)
        }
        _ = try? snapshot.metadataFields
        _ = try? snapshot.fileMetadata
        _ = try? snapshot.checkpoints
        _ = try? snapshot.ids(where: .any([.exists("s"), .field("i", .less, 3)]), onDamage: .passOver)
        let query = [Float](repeating: 1, count: snapshot.dimension)
        _ = try? snapshot.nearest(to: query, limit: 3, onDamage: .passOver)
    }

    /// - Parameter rows: those of an intact store, all of which a repair saves.
    private static func repair(_ path: FilePath, to output: FilePath, rows: [UInt64: [UInt32]]?) throws {
        do throws(StoreError) {
            _ = try StoreRepair.run(from: path, to: output)
        } catch {
            return try FuzzFailure.unless(rows == nil, "an intact store cannot be repaired: \(error)")
        }
        let report = try StoreVerification.run(at: output)
        // Metadata that cannot be read here but is whole is carried over, for those who can.
        let damages = report.problems.filter { $0.severity == .damage && !$0.what.hasSuffix("metadata is not available") }
        try FuzzFailure.unless(damages.isEmpty, "the repaired store is damaged: \(damages)")
        let saved = try Self.rows(of: StoreReader(at: output).snapshot())
        let finite = rows?.filter { $0.value.allSatisfy { Float(bitPattern: $0).isFinite } }
        try FuzzFailure.unless(finite == nil || saved == finite, "the repaired store has other rows")
    }

    /// The next commit adds what it adds and leaves the rest.
    private static func write(_ path: FilePath, _ rows: [UInt64: [UInt32]]) throws {
        var options = WriterOptions()
        options.lock.renewal = .manual
        let dimension = try StoreReader(at: path).snapshot().dimension
        let vector = (0..<dimension).map { Float($0) }
        do throws(StoreError) {
            var writer = try StoreWriterCore.open(
                host: POSIXHost(), registry: LockRegistry(), path: path, options: options)
            var transaction = Transaction()
            transaction.upsert([Row(id: 77, vector: vector)])
            try writer.commit(transaction)
        } catch {
            // What is damaged, or at its limits, can refuse.
            return
        }
        var expected = rows
        expected[77] = vector.map(\.bitPattern)
        let found = try Self.rows(of: StoreReader(at: path).snapshot())
        try FuzzFailure.unless(found == expected, "after a commit there are \(found), not \(expected)")
    }
}
