import RVFReference

/// Finds and makes row indexes from what the specification says of their bytes, without the library.
enum RowIndexForge {
    struct Place: Equatable {
        /// Of the vector segment before it.
        var vectors: Int
        var offset: Int
        var length: Int
    }

    static let magic = Array("RVROWIDX".utf8)

    /// The row indexes behind the vector segments that a file's manifest names.
    static func places(in file: [UInt8]) throws -> [Place] {
        try ReferenceStore(file).entries.filter { $0.type == 1 }.compactMap { entry in
            let offset = (entry.offset + 64 + entry.length + 63) / 64 * 64
            guard offset + 72 <= file.count, file[offset + 5] == 0xF1, Array(file[(offset + 64)..<(offset + 72)]) == magic
            else { return nil }
            return Place(vectors: entry.offset, offset: offset, length: Int(ReferenceStore.u64(file, offset + 16)))
        }
    }

    /// The ids of a vector segment in the order of its rows.
    static func ids(of file: [UInt8], vectors offset: Int) -> [UInt64] {
        let stride = 8 + 4 * Int(ReferenceStore.u16(file, offset + 64))
        return (0..<Int(ReferenceStore.u32(file, offset + 66))).map {
            ReferenceStore.u64(file, offset + 70 + $0 * stride)
        }
    }

    /// What an index says; the defaults are the truth about a segment.
    struct Content {
        var fileID: [UInt8]
        var length: UInt64
        var hash: [UInt8]
        var ids: [UInt64]
        /// Nil: each id's position.
        var rows: [UInt32]?
        var first: UInt64
        var last: UInt64
        var count: UInt32

        init(of file: [UInt8], vectors offset: Int) throws {
            fileID = try ReferenceStore(file).fileID ?? []
            length = ReferenceStore.u64(file, offset + 16)
            hash = Array(file[(offset + 0x28)..<(offset + 0x38)])
            let unsorted = RowIndexForge.ids(of: file, vectors: offset)
            let order = unsorted.indices.sorted { unsorted[$0] < unsorted[$1] }
            ids = order.map { unsorted[$0] }
            rows = order.map(UInt32.init)
            first = ids.first ?? 0
            last = ids.last ?? 0
            count = UInt32(ids.count)
        }

        var payload: [UInt8] {
            var head = RowIndexForge.magic + little(1, 2) + little(rows == nil ? 1 : 0, 2) + little(UInt64(count), 4)
            head += fileID + little(length, 8) + hash + little(first, 8) + little(last, 8) + little(0, 4)
            head += little(UInt64(zlibChecksum(head)), 4)
            return head + ids.flatMap { little($0, 8) } + (rows ?? []).flatMap { little(UInt64($0), 4) }
        }
    }

    /// Puts a segment with a right hash in an index's place; no longer than what was there, zeros behind it.
    static func replace(_ place: Place, in file: inout [UInt8], with payload: [UInt8]) {
        precondition(payload.count <= place.length, "no room for the forged index")
        var header = Array(file[place.offset..<(place.offset + 64)])
        header.replaceSubrange(16..<24, with: little(UInt64(payload.count), 8))
        header.replaceSubrange(0x28..<0x38, with: ReferenceWriter.hash(of: payload))
        let rest = [UInt8](repeating: 0, count: place.length - payload.count)
        file.replaceSubrange(place.offset..<(place.offset + 64 + place.length), with: header + payload + rest)
    }
}
