import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage

/// Small stores with something of everything, written by the code that ships, by the reference's rules, and by both in turn.
enum StoreSeeds {
    static func stores() throws -> [[UInt8]] {
        let rich = try store(everything)
        var appended = try ReferenceWriter(reopening: rich)
        appended.ingest([(5, [1, 2]), (40, [3, 4])], witnessed: true)
        appended.delete([9])
        return [
            try store { _ in },
            try store { try $0.commit(rows(1...3, dimension: 2)) },
            rich,
            try store {
                try everything(&$0)
                _ = try $0.compact(WorkOptions())
            },
            appended.file, try ReferenceWriter.compacting(rich).file, foreign(),
        ]
    }

    /// A store that this package has not touched.
    private static func foreign() -> [UInt8] {
        var writer = ReferenceWriter(dimension: 2, metric: 2, fileID: nil)
        writer.ingest([(1, [1, 2]), (7, [-3, 4])], witnessed: true)
        writer.segment(0x0E, Array("a kernel".utf8))
        writer.delete([7, 9])
        writer.segment(0x0D, [1, 2, 3], listed: false, hash: false)
        return writer.file
    }

    /// The payloads of one type in all of them.
    static func payloads(of type: SegmentType) throws -> [[UInt8]] {
        var found: [[UInt8]] = []
        for file in try stores() {
            var offset = 0
            while offset + SegmentHeader.byteCount <= file.count {
                guard let header = SegmentHeader(file.bytes.extracting(offset..<file.count)) else {
                    offset += 1
                    continue
                }
                let start = offset + SegmentHeader.byteCount
                let end = min(file.count, start + Int(header.payloadByteCount))
                if header.type == type { found.append(Array(file[start..<end])) }
                offset = end
            }
        }
        return found
    }

    private static func everything(_ writer: inout StoreWriterCore<POSIXHost>) throws {
        var first = rows([5, 3, 9, 4], dimension: 2)
        first.setMetadata(["s": .string("ü"), "i": .int64(-3), "n": .null], for: 5)
        first.setMetadata(["u": .uint64(.max), "d": .double(2.5), "t": .bool(true)], for: 3)
        first.setFileMetadata(.bytes([1, 2, 3]), for: "key")
        first.setCheckpoint(source: "source", count: 4, offset: [7, 7])
        try writer.commit(first)
        var second = Transaction()
        second.delete(ids: [3])
        second.setMetadata("s", to: .string("a"), for: 9)
        second.setFileMetadata(nil, for: "key")
        second.setCheckpoint(source: "other", count: 1, offset: [])
        try writer.commit(second, options: CommitOptions(durability: .singleSync))
        try writer.commit(rows([9, 3, 12], dimension: 2), options: CommitOptions(durability: .none))
    }

    private static func rows(_ ids: some Sequence<UInt64>, dimension: Int) -> Transaction {
        var transaction = Transaction()
        transaction.upsert(ids.map { id in Row(id: id, vector: (0..<dimension).map { Float(id) + Float($0) / 8 }) })
        return transaction
    }

    private static func store(_ body: (inout StoreWriterCore<POSIXHost>) throws -> Void) throws -> [UInt8] {
        try FuzzDirectory.withDirectory { directory in
            let path = directory.path("seed.rvf")
            var options = WriterOptions()
            options.lock.renewal = .manual
            options.witnesses = true
            do {
                var writer = try StoreWriterCore.create(
                    host: POSIXHost(), registry: LockRegistry(), path: path, dimension: 2, metric: .cosine,
                    options: options)
                try body(&writer)
            }
            return try directory.read("seed.rvf")
        }
    }
}
