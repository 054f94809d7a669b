import RVFReference
import RVFStore

/// Stores of nearly a megabyte, see ``GreedyInputs``. What their manifests name stands there with right hashes, so that
/// it is read.
enum GreedyStores {
    private static let byteCount = GreedyInputs.byteCount

    static func all() -> [[UInt8]] {
        [
            rows(manifestCopies: 1, dimension: 1), rows(manifestCopies: 30_000, dimension: 1),
            rows(manifestCopies: 38_000, dimension: 1, rowCount: 0), rows(manifestCopies: 1, dimension: 65_535),
            manySegments(), deletions(), lookalikes(), witnesses(), strays(), journals(), nestedMetadata(), checkpoints(),
        ] + GreedyPayloads.metadata(byteCount - 2_000).map(metadata)
    }

    /// As many rows as there is room for, in a segment that is named again and again.
    private static func rows(manifestCopies: Int, dimension: Int, rowCount: Int? = nil) -> [UInt8] {
        var writer = ReferenceWriter(dimension: dimension)
        let room = byteCount - writer.file.count - 64 - 6 - 64 - 200 - 25 * manifestCopies
        let count = rowCount ?? max(0, room / (8 + 4 * dimension))
        // Ids that fall have to be sorted.
        let vector = [Float](repeating: 1, count: dimension)
        writer.distinct = Set((0..<count).map { UInt64($0) })
        writer.segment(1, writer.vectorPayload((0..<count).reversed().map { (UInt64($0), vector) }))
        if let entry = writer.entries.last { writer.entries += Array(repeating: entry, count: manifestCopies - 1) }
        writer.commit()
        return writer.file
    }

    private static func manySegments() -> [UInt8] {
        var writer = ReferenceWriter(dimension: 1)
        // Header, head, row and entry of each.
        for number in 0..<((byteCount - 1_000) / (64 + 6 + 12 + 25)) {
            writer.segment(1, writer.vectorPayload([(UInt64(number), [1])]))
            writer.distinct.insert(UInt64(number))
        }
        writer.commit()
        return writer.file
    }

    private static func deletions() -> [UInt8] {
        var writer = ReferenceWriter(dimension: 1)
        writer.deleted = Set((0..<UInt64((byteCount - 1_000) / 8)))
        writer.commit()
        return writer.file
    }

    private static func lookalikes() -> [UInt8] {
        var writer = ReferenceWriter(dimension: 1)
        var file = writer.file
        // Each names all before it, and so is longer.
        while writer.file.count < byteCount {
            file = writer.file
            writer.commit()
        }
        // The newest that can be believed is the first.
        for segment in ReferenceWriter.segments(of: file).dropFirst() { file[segment.offset + 64] ^= 1 }
        return file
    }

    private static func witnesses() -> [UInt8] {
        var writer = ReferenceWriter(dimension: 1)
        while writer.file.count < byteCount - 1_000 { writer.witness("", listed: false) }
        writer.commit()
        return writer.file
    }

    private static func strays() -> [UInt8] {
        var writer = ReferenceWriter(dimension: 1)
        writer.commit()
        let header = Array(writer.file.prefix(64))
        return GreedyInputs.filled(writer.file) { _ in [9] + header.prefix(5) + [7] }
    }

    /// Without a manifest, so that a repair goes by them.
    private static func journals() -> [UInt8] {
        var writer = ReferenceWriter(dimension: 1)
        writer.ingest([(1, [1])])
        writer.file[64] ^= 1
        writer.delete((0..<((byteCount - 1_000) / 20)).map { UInt64($0) })
        for segment in ReferenceWriter.segments(of: writer.file) where segment.type == 5 {
            writer.file[segment.offset + 66] ^= 1
        }
        return writer.file
    }

    private static func metadata(_ payload: [UInt8]) -> [UInt8] {
        var finished = Array(payload.dropLast(MetadataFooter.byteCount))
        MetadataFooter.append(to: &finished)
        var writer = ReferenceWriter(dimension: 1)
        writer.ingest([(1, [1]), (2, [1])])
        writer.segment(7, finished)
        writer.commit()
        return writer.file
    }

    /// Metadata of which each change holds all changes before it as a value, so that every byte counts many times.
    private static func nestedMetadata() -> [UInt8] {
        var writer = ReferenceWriter(dimension: 1)
        writer.ingest([(1, [1])])
        let start = writer.file.count
        let depth = 60
        // Of one level: 64 of a header, 40 of a head, 3 + 5 before the value, 40 of a footer.
        let before = 64 + 40 + 8
        // With room for a manifest that names them all.
        var inner = [UInt8](repeating: 7, count: byteCount - start - depth * (before + 40) - 10_000)
        var lengths: [Int] = []
        for generation in 1...depth {
            let isFirst = generation == 1
            var payload = Array("RVFMETA\0".utf8) + little(1, 2) + little(isFirst ? 1 : 0, 2)
            payload += little(UInt64(generation), 8) + little(isFirst ? .max : UInt64(generation - 1), 8)
            payload += little(0, 4) + little(1, 4) + little(0, 4)
            payload += [1, 0, UInt8(0x21 + generation), 2] + little(UInt64(inner.count), 4) + inner
            MetadataFooter.append(to: &payload)
            var one = ReferenceWriter(dimension: 1)
            one.file = []
            one.nextID = UInt64(100 + generation)
            one.segment(7, payload)
            inner = one.file
            lengths.append(payload.count)
        }
        writer.file += inner
        // The innermost comes first, and stands last.
        for (number, length) in lengths.enumerated() {
            writer.entries.append((UInt64(101 + number), start + (depth - 1 - number) * before, length, 7))
        }
        writer.commit()
        return writer.file
    }

    private static func checkpoints() -> [UInt8] {
        var writer = ReferenceWriter(dimension: 1)
        writer.ingest([(1, [1])])
        for one in GreedyPayloads.checkpoints(240 << 10) { writer.segment(0xF0, one) }
        writer.commit()
        return writer.file
    }
}
