/// Writes a store as its reference runtime does: unpadded, every commit in full, every manifest naming all earlier
/// ones. It makes the files that tests read, and shares no code with the library.
package struct ReferenceWriter {
    package var file: [UInt8] = []
    package var dimension: Int
    package var metric: UInt8 = 0
    package var epoch: UInt32 = 0
    package var entries: [(id: UInt64, offset: Int, length: Int, type: UInt8)] = []
    package var deleted: Set<UInt64> = []
    package var distinct: Set<UInt64> = []
    package var nextID: UInt64 = 1
    /// Nil for a store without identity.
    package var fileID: [UInt8]? = Array(1...16)
    private var lastWitness = [UInt8](repeating: 0, count: 32)

    package init(dimension: Int, metric: UInt8 = 0, fileID: [UInt8]? = Array(1...16)) {
        self.dimension = dimension
        self.metric = metric
        self.fileID = fileID
        commit()
        epoch = 0
    }

    /// Header and payload at the end of the file. The offset of its header.
    @discardableResult
    package mutating func segment(_ type: UInt8, _ payload: [UInt8], listed: Bool = true, hash: Bool = true) -> Int {
        let offset = file.count
        file += little(0x5256_4653, 4) + [1, type, 0, 0] + little(nextID, 8) + little(UInt64(payload.count), 8)
        file += [UInt8](repeating: 0, count: 16)
        file += hash ? Self.hash(of: payload) : [UInt8](repeating: 0, count: 16)
        file += [UInt8](repeating: 0, count: 8) + payload
        if listed { entries.append((nextID, offset, payload.count, type)) }
        nextID += 1
        return offset
    }

    /// The sixteen bytes that a header has for a payload.
    package static func hash(of payload: some Sequence<UInt8>) -> [UInt8] {
        let checksum = zlibChecksum(payload)
        var bytes: [UInt8] = []
        for bits in [UInt32(0), 8, 16, 24] {
            let word = bits == 0 ? checksum : checksum << bits | checksum >> (32 - bits)
            bytes += little(UInt64(word), 4)
        }
        return bytes
    }

    /// A manifest of everything listed so far.
    @discardableResult
    package mutating func commit(trailing: [UInt8] = []) -> Int {
        epoch += 1
        return segment(5, manifestPayload() + trailing)
    }

    package func manifestPayload() -> [UInt8] {
        let isFirst = file.isEmpty
        var payload = little(UInt64(isFirst ? 0 : epoch), 4) + little(UInt64(dimension), 2)
        payload += little(UInt64(distinct.count), 8) + little(UInt64(entries.count), 4) + [0, metric, 0, 0]
        for entry in entries {
            payload += little(entry.id, 8) + little(UInt64(entry.offset), 8) + little(UInt64(entry.length), 8)
            payload.append(entry.type)
        }
        payload += little(UInt64(deleted.count), 4)
        for id in deleted.sorted() { payload += little(id, 8) }
        if let fileID { payload += little(0x4649_4449, 4) + fileID + [UInt8](repeating: 0, count: 52) }
        return payload
    }

    package func vectorPayload(_ rows: [(UInt64, [Float])]) -> [UInt8] {
        var payload = little(UInt64(dimension), 2) + little(UInt64(rows.count), 4)
        for (id, vector) in rows {
            payload += little(id, 8)
            for component in vector { payload += little(UInt64(component.bitPattern), 4) }
        }
        return payload
    }

    /// One segment of rows, a witness and a manifest.
    package mutating func ingest(_ rows: [(UInt64, [Float])], witnessed: Bool = false) {
        distinct.formUnion(rows.map(\.0))
        segment(1, vectorPayload(rows))
        if witnessed { witness("ingest") }
        commit()
    }

    package mutating func delete(_ ids: [UInt64]) {
        deleted.formUnion(ids)
        var payload = little(UInt64(ids.count), 4) + little(UInt64(epoch), 4) + little(0, 8)
        for id in ids { payload += [1, 0, 8, 0] + little(id, 8) }
        segment(4, payload)
        commit()
    }

    package mutating func witness(_ action: String, listed: Bool = true) {
        let payload = [0] + little(1_700_000_000_000_000_000, 8) + little(UInt64(action.utf8.count), 4)
            + Array(action.utf8) + lastWitness
        segment(10, payload, listed: listed)
        lastWitness = Self.witnessHash(payload)
    }

    package static func witnessHash(_ bytes: [UInt8]) -> [UInt8] {
        var o = [UInt8](repeating: 0, count: 32)
        for (i, b) in bytes.enumerated() {
            o[i % 32] = o[i % 32] &+ b
            let turned = o[i % 32] << 3 | o[i % 32] >> 5
            o[(i + 13) % 32] = o[(i + 13) % 32] &+ turned
        }
        return o
    }
}

package func little(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
}
