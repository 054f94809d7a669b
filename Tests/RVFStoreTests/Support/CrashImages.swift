import RVFStore

/// What a power cut can leave of a file of which some writes were not synced: any of the writes, each whole or, one at a
/// time, torn; what lies before a write that is there and was not written reads as zeros.
struct CrashImages {
    /// What was durable.
    var base: [UInt8]
    var writes: [(offset: Int, bytes: [UInt8])] = []

    /// Up to so many unsynced writes all subsets are made; of more, as many samples.
    static let exhaustiveWriteLimit = 12
    /// Media write sectors of either size whole.
    private static let sectorByteCounts = [512, 4096]

    mutating func add(_ event: DiskScript.Event) {
        guard case .write(let offset, let bytes) = event else { return }
        writes.append((Int(offset), bytes))
    }

    mutating func sync() {
        base = image { _ in true }
        writes = []
    }

    /// Every image that holds something of the newest write, or lacks it as the only one: what lacks it is among the
    /// images of the moment before.
    ///
    /// - Parameter samples: how many images there are of more writes than are gone through.
    func forEach(samples: Int, _ generator: inout SeededGenerator, _ body: ([UInt8]) throws -> Void) rethrows {
        guard let newest = writes.indices.last else { return try body(base) }
        if writes.count <= Self.exhaustiveWriteLimit {
            for subset in 0..<(1 << newest) { try body(image { $0 == newest || subset >> $0 & 1 == 1 }) }
        } else {
            for _ in 0..<samples {
                let chance = Int.random(in: 1...7, using: &generator)
                let there = writes.indices.map { _ in Int.random(in: 0..<8, using: &generator) < chance }
                try body(image { there[$0] || $0 == newest })
            }
        }
        try forEachTorn(newest, body)
        // The length reached the medium and nothing else did.
        var extended = base
        extended += [UInt8](repeating: 0, count: max(0, end - base.count))
        try body(extended)
    }

    /// All other writes are there, or none; of this one a part that ends, or begins, at a sector's boundary.
    private func forEachTorn(_ torn: Int, _ body: ([UInt8]) throws -> Void) rethrows {
        let (offset, bytes) = writes[torn]
        for sector in Self.sectorByteCounts {
            let first = (offset / sector + 1) * sector
            // Of a long write the sectors at its ends: those between them are alike.
            let cuts = Array(stride(from: first, to: offset + bytes.count, by: sector))
            for cut in cuts.count <= 16 ? cuts : Array(cuts.prefix(8) + cuts.suffix(8)) {
                for others in [true, false] {
                    var before = image { others && $0 != torn }
                    var behind = before
                    Self.apply((offset, Array(bytes[..<(cut - offset)])), to: &before)
                    Self.apply((cut, Array(bytes[(cut - offset)...])), to: &behind)
                    try body(before)
                    try body(behind)
                }
            }
        }
    }

    private var end: Int { writes.reduce(base.count) { max($0, $1.offset + $1.bytes.count) } }

    func image(_ isThere: (Int) -> Bool) -> [UInt8] {
        var image = base
        for (position, write) in writes.enumerated() where isThere(position) { Self.apply(write, to: &image) }
        return image
    }

    private static func apply(_ write: (offset: Int, bytes: [UInt8]), to image: inout [UInt8]) {
        let end = write.offset + write.bytes.count
        if image.count < end { image += [UInt8](repeating: 0, count: end - image.count) }
        image.replaceSubrange(write.offset..<end, with: write.bytes)
    }
}
