import RVFReference
import RVFStore
import SystemPackage
import Testing

/// What a store should hold, kept as dictionaries.
struct MetadataModel: Equatable {
    var rows: [UInt64: [Float]] = [:]
    /// Of live ids that have any.
    var metadata: [UInt64: [String: MetadataValue]] = [:]
    var file: [String: MetadataValue] = [:]

    static let filters: [MetadataFilter] = [
        .field("n", .atLeast, 2), .not(.field("n", .less, 2)), .exists("text"), .isNull("flag"),
        .any([.field("text", .equal, "a"), .field("real", .greater, .double(0.5))]),
        .all([.exists("n"), .not(.field("text", hasPrefix: "a"))]), .everything,
    ]

    mutating func delete(_ ids: some Sequence<UInt64>) {
        for id in ids {
            rows[id] = nil
            metadata[id] = nil
        }
    }

    func ids(where filter: MetadataFilter) -> [UInt64] {
        rows.keys.filter { filter.matches(metadata[$0] ?? [:]) }.sorted()
    }

    /// Checks a snapshot against all that the model holds.
    func expect(_ snapshot: Snapshot, _ note: String) throws {
        var found = MetadataModel()
        try snapshot.forEachRow { found.rows[$0] = $1.array() }
        for id in found.rows.keys { found.metadata[id] = try snapshot.metadata(of: id) }
        found.file = try snapshot.fileMetadata
        #expect(found == self, "\(note)")
        for filter in Self.filters {
            #expect(try snapshot.ids(where: filter) == ids(where: filter), "\(note), \(filter)")
        }
        for id in 0..<40 as Range<UInt64> where rows[id] == nil {
            #expect(try snapshot.metadata(of: id) == nil, "\(note), id \(id)")
        }
        for id in metadata.keys.sorted().prefix(3) {
            for name in ["n", "text", "missing"] {
                #expect(try snapshot.metadataValue(name, of: id) == metadata[id]?[name], "\(note), id \(id), \(name)")
            }
        }
    }

    /// Checks a file: by a fresh reader, and its rows by the strict reader of the reference's dialect. No id without a
    /// row has a record, as strict peers ask it.
    func expect(at path: FilePath, _ note: String) throws {
        let snapshot = try StoreReader(at: path).snapshot()
        try expect(snapshot, note)
        let reference = try ReferenceStore(at: path)
        #expect(reference.rows == rows, "reference, \(note)")
        let chain = try MetadataChainBytes(at: path)
        #expect(chain.records == Set(metadata.keys), "\(note)")
    }

    /// Random fields; each name has one type throughout.
    static func randomFields(_ generator: inout SeededGenerator) -> [String: MetadataValue] {
        var fields: [String: MetadataValue] = [:]
        for name in ["n", "text", "real", "flag"] where Int.random(in: 0..<3, using: &generator) > 0 {
            fields[name] = randomValue(of: name, &generator)
        }
        return fields
    }

    static func randomValue(of name: String, _ generator: inout SeededGenerator) -> MetadataValue {
        if Int.random(in: 0..<8, using: &generator) == 0 { return .null }
        switch name {
        case "n": return .int64(Int64.random(in: 0...4, using: &generator))
        case "text": return .string(["a", "ab", "b", "ü"].randomElement(using: &generator)!)
        case "real": return .double(Double.random(in: 0...1, using: &generator))
        default: return .bool(Bool.random(using: &generator))
        }
    }
}

/// The metadata segments that a file names, read from the format's description alone: one full snapshot, then deltas.
struct MetadataChainBytes {
    struct Failure: Error {
        var what: String
    }

    /// Ids with a record that has fields.
    var records: Set<UInt64> = []
    var deltaCount = 0
    var offsets: [Int] = []

    init(at path: FilePath) throws {
        let store = try ReferenceStore(at: path)
        let file = try FileBytes.read(path)
        var generation: UInt64?
        for entry in store.entries where entry.type == 7 {
            let start = entry.offset + 64
            offsets.append(entry.offset)
            guard Array(file[start..<(start + 8)]) == Array("RVFMETA\0".utf8), ReferenceStore.u16(file, start + 8) == 1,
                Array(file[(start + entry.length - 40)..<(start + entry.length - 32)]) == Array("RVFDONE\0".utf8)
            else { throw Failure(what: "no metadata at \(entry.offset)") }
            let isSnapshot = ReferenceStore.u16(file, start + 10) == 1
            let own = ReferenceStore.u64(file, start + 12)
            let base = ReferenceStore.u64(file, start + 20)
            if isSnapshot {
                guard offsets.count == 1, base == .max else { throw Failure(what: "a snapshot that is not the first") }
            } else {
                guard base == generation, own == base + 1 else { throw Failure(what: "a delta to \(base)") }
                deltaCount += 1
            }
            generation = own
            try read(file, start, end: start + entry.length - 40)
        }
        guard deltaCount <= 64 else { throw Failure(what: "\(deltaCount) deltas") }
    }

    private mutating func read(_ file: [UInt8], _ start: Int, end: Int) throws {
        var place = start + 40
        for _ in 0..<ReferenceStore.u32(file, start + 28) { place += 6 + Int(ReferenceStore.u16(file, place + 4)) }
        for _ in 0..<ReferenceStore.u32(file, start + 32) {
            place += 2 + Int(ReferenceStore.u16(file, place))
            place = Self.endOfValue(file, place)
        }
        for _ in 0..<ReferenceStore.u32(file, start + 36) {
            let id = ReferenceStore.u64(file, place)
            if file[place + 8] == 1 { records.remove(id) } else { records.insert(id) }
            let count = ReferenceStore.u32(file, place + 9)
            place += 13
            for _ in 0..<count { place = Self.endOfValue(file, place + 2) }
        }
        guard place == end else { throw Failure(what: "the records end at \(place), the payload at \(end)") }
    }

    private static func endOfValue(_ file: [UInt8], _ place: Int) -> Int {
        switch file[place] {
        case 1, 2: place + 5 + Int(ReferenceStore.u32(file, place + 1))
        case 3, 4, 5: place + 9
        case 6: place + 2
        default: place + 1
        }
    }
}

enum FileBytes {
    static func read(_ path: FilePath) throws -> [UInt8] {
        let file = try FileDescriptor.open(path, .readOnly)
        return try file.closeAfter {
            var bytes = [UInt8](repeating: 0, count: Int(try file.seek(offset: 0, from: .end)))
            var filled = 0
            while filled < bytes.count {
                let count = try unsafe bytes.withUnsafeMutableBytes {
                    try unsafe file.read(
                        fromAbsoluteOffset: Int64(filled), into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
                }
                if count == 0 { break }
                filled += count
            }
            return bytes
        }
    }
}
