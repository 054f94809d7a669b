import RVFLock
import RVFStore

/// Payloads of every kind, as this package writes them.
enum PayloadSeeds {
    private static let fileID = [UInt8](1...16)
    private static let hash = ContentHash(checksum: 0x1234_5678)

    static func lockRecords() -> [[UInt8]] {
        guard let writer = WriterID(bytes: fileID) else { return [] }
        return [true, false].map { isGuarded in
            LockRecord(
                processID: 4711, hostName: Array("host-\(isGuarded)".utf8), timestampNanoseconds: 1_700_000_000 << 30,
                writerID: writer, isGuarded: isGuarded
            ).encoded()
        }
    }

    static func segmentHeaders() -> [[UInt8]] {
        [SegmentType.vectors, .manifest, .rowIndex].map {
            SegmentHeader(type: $0, id: 7, payloadByteCount: 100, hash: hash).encoded
        }
    }

    static func manifests() throws -> [[UInt8]] {
        try StoreSeeds.payloads(of: .manifest)
    }

    static func vectors() throws -> [[UInt8]] {
        [VectorPayload(dimension: 2, rowCount: 2).encodedHead + [UInt8](repeating: 1, count: 32)]
            + (try StoreSeeds.payloads(of: .vectors))
    }

    static func journals() throws -> [[UInt8]] {
        [JournalPayload(epoch: 3, previousSegmentID: 0, deletedIDs: [1, 5, 1 << 40]).encoded]
    }

    static func witnesses() throws -> [[UInt8]] {
        [
            WitnessPayload(
                kind: WitnessPayload.computation, timestampNanoseconds: 1 << 60, action: "ingest ü",
                previousHash: WitnessHash(hashing: fileID.bytes)
            ).encoded
        ] + (try StoreSeeds.payloads(of: .witness))
    }

    static func checkpoints() throws -> [[UInt8]] { try StoreSeeds.payloads(of: .checkpoints) }

    static func metrics() throws -> [[UInt8]] { try StoreSeeds.payloads(of: .metric) }

    static func metadata() throws -> [[UInt8]] { try StoreSeeds.payloads(of: .metadata) }

    static func rowIndexes() throws -> [[UInt8]] {
        let made = [false, true].map { isInOrder in
            RowIndexPayload.encoded(
                ids: [2, 5, 9], rows: isInOrder ? [] : [1, 0, 2], squares: isInOrder ? [1, 2, 3] : [], fileID: fileID,
                describing: 54, hash)
        }
        return made + (try StoreSeeds.payloads(of: .rowIndex))
    }
}
