import RVFReference
import RVFStore

/// Payloads of nearly a megabyte, see ``GreedyInputs``.
enum GreedyPayloads {
    private static let byteCount = GreedyInputs.byteCount

    static func manifests() -> [[UInt8]] {
        let head = little(7, 4) + little(2, 2) + little(1, 8)
        let entry = little(1, 8) + little(64, 8) + little(64, 8) + [1]
        let entryCount = (byteCount - 26) / 25
        let idCount = (byteCount - 26) / 8
        return [
            GreedyInputs.filled(head + little(UInt64(entryCount), 4) + [0, 0, 0, 0]) { $0 < entryCount ? entry : [0] },
            GreedyInputs.filled(head + little(0, 4) + [0, 0, 0, 0] + little(UInt64(idCount), 4)) { little(UInt64($0), 8) },
            head + little(.max, 4) + GreedyInputs.repeating(0xFF).dropLast(18),
        ]
    }

    static func vectors() -> [[UInt8]] {
        [little(1, 2) + little(.max, 4), little(65_535, 2) + little(65_535, 4), little(1, 2) + little(83_332, 4)].map {
            $0 + GreedyInputs.repeating(0).dropLast(6)
        }
    }

    static func journals() -> [[UInt8]] {
        let count = (byteCount - 16) / 12
        return [
            GreedyInputs.filled(little(UInt64(count), 4) + little(1, 12)) { [1, 0, 8, 0] + little(UInt64($0), 8) },
            GreedyInputs.filled(little(UInt64((byteCount - 16) / 4), 4) + little(1, 12)) { _ in [9, 0, 0, 0] },
            GreedyInputs.repeating(0xFF),
        ]
    }

    static func witnesses() -> [[UInt8]] {
        // Each byte becomes three: what is no UTF-8 is replaced.
        let head = [0] + little(1, 8) + little(UInt64(byteCount - 45), 4)
        return [0x61, 0xFF].map { head + GreedyInputs.repeating($0).dropLast(13) }
    }

    /// One long list, and two.
    static func checkpoints() -> [[UInt8]] { checkpoints(byteCount) }

    static func checkpoints(_ byteCount: Int) -> [[UInt8]] {
        var head = Array("RVFCKPT\0".utf8) + little(1, 2) + little(0, 2)
        head += [UInt8](repeating: 1, count: 16) + little(5, 8) + little(0, 4)
        head += [UInt8](repeating: 2, count: 32)
        func list(_ limit: Int) -> [UInt8] {
            let count = (limit - 4) / 15
            return GreedyInputs.filled(little(UInt64(count), 4), limit: limit) { number in
                number < count ? [4, 0, 0] + little(1, 8) + name(number) : [0]
            }.prefix(4 + 15 * count).map { $0 }
        }
        let room = byteCount - head.count - 4
        let ids = (room - 8) / 8
        return [
            head + little(0, 4) + list(room - 4) + little(0, 4), head + little(0, 4) + list(room / 2) + list(room / 2),
            GreedyInputs.filled(head + little(UInt64(ids), 4), limit: byteCount, end: { _ in little(0, 8) }) {
                little(UInt64($0), 8)
            },
        ]
    }

    /// Four letters that rise with a number.
    private static func name(_ number: Int) -> [UInt8] {
        [3, 2, 1, 0].map { UInt8(0x21 + number / [1, 90, 8_100, 729_000][$0] % 90) }
    }

    /// Without a right footer, which whoever checks them puts there.
    static func metadata() -> [[UInt8]] { metadata(byteCount) }

    static func metadata(_ byteCount: Int) -> [[UInt8]] {
        let room = byteCount - 80
        let value = little(1, 8) + [0, 1, 0, 0, 0, 0, 0]
        let footer = [UInt8](repeating: 0, count: 40)
        let (fields, keys, texts) = (min(65_536, room / 10), min(65_536, room / 15), min(65_536, room / 12))
        let (empty, bools, nulls) = (room / 13, (room - 10) / 17, (room - 13) / 13)
        let text = [UInt8](repeating: 0x61, count: room - 30)
        return [
            units(metadataHead(0, 0, empty), empty) { little(UInt64($0), 8) + [0, 0, 0, 0, 0] } + footer,
            units(metadataHead(1, 0, bools) + field(0), bools) {
                little(UInt64($0), 8) + [0, 1, 0, 0, 0, 0, 0, 6, 1]
            } + footer,
            units(metadataHead(fields, 0, 0), fields) { field($0) } + footer,
            units(metadataHead(0, keys, 0), keys) { [4, 0] + name($0) + [1, 4, 0, 0, 0, 1, 2, 3, 4] } + footer,
            units(metadataHead(0, texts, 0), texts) { [4, 0] + name($0) + [2, 1, 0, 0, 0, 9] } + footer,
            nullFields(nulls) + footer,
            metadataHead(1, 0, 1) + field(0, 1) + value + [1] + little(UInt64(text.count), 4) + text + footer,
            metadataHead(65_536, 65_536, 1 << 24) + [UInt8](repeating: 0, count: room) + footer,
        ]
    }

    private static func metadataHead(_ schema: Int, _ keys: Int, _ records: Int) -> [UInt8] {
        var head = Array("RVFMETA\0".utf8) + little(1, 2) + little(1, 2)
        head += little(1, 8) + little(.max, 8)
        for count in [schema, keys, records] { head += little(UInt64(count), 4) }
        return head
    }

    /// A schema entry, nullable.
    private static func field(_ id: Int, _ type: UInt8 = 6) -> [UInt8] { little(UInt64(id), 2) + [type, 1, 4, 0] + name(id) }

    private static func units(_ start: [UInt8], _ count: Int, _ unit: (Int) -> [UInt8]) -> [UInt8] {
        var bytes = start
        for number in 0..<count { bytes += unit(number) }
        return bytes
    }

    /// One record of many fields, all of them null.
    private static func nullFields(_ count: Int) -> [UInt8] {
        var bytes = units(metadataHead(count, 0, 1), count) { field($0) }
        bytes += little(1, 8) + [0] + little(UInt64(count), 4)
        return units(bytes, count) { little(UInt64($0), 2) + [0] }
    }

    static func rowIndexes() -> [[UInt8]] {
        let id = [UInt8](1...16)
        let hash = ContentHash(checksum: 7)
        let (few, many) = ((byteCount - 80) / 16, (byteCount - 80) / 8)
        return [
            RowIndexPayload.encoded(
                ids: (0..<few).map { UInt64($0) }, rows: (0..<few).map { UInt32(few - 1 - $0) },
                squares: [Float](repeating: 1, count: few), fileID: id, describing: 5, hash),
            RowIndexPayload.encoded(
                ids: (0..<many).map { UInt64($0) }, rows: [], squares: [], fileID: id, describing: 5, hash),
        ]
    }
}
