/// Which of the cuts of a moment are gone through.
package struct CutSetting: Sendable {
    /// Up to so many unsynced changes every subset is made.
    package var exhaustiveLimit = 12
    /// Of more, as many samples at each moment.
    package var sampleCount = 100
    /// At how many sector boundaries, from either end, each write is torn.
    package var tearCount = 8
    /// Beside a torn write, every subset of so many others; of more of them all, none, and as many at random.
    package var tornSubsetLimit = 3

    package init() {}
}

/// The cuts of one moment.
struct CutEnumeration {
    private let pending: [Medium.Change]
    /// The change that made the moment: what lacks it is among the cuts of the moment before.
    private let newest: Int?
    private let setting: CutSetting

    /// Media write sectors of either size whole.
    private static let sectorByteCounts = [512, 4096]
    /// A cut is a word of bits.
    private static let changeLimit = 64

    init(_ moment: DiskMachine.Moment, _ setting: CutSetting) {
        pending = moment.medium.pending
        newest = moment.newest
        self.setting = setting
        precondition(pending.count <= Self.changeLimit, "a history leaves more changes unsynced than a word has bits")
    }

    func forEach(
        _ maker: ImageMaker, _ generator: inout SplitMix64, _ body: (Cut) throws(PowerCutFinding) -> Void
    ) throws(PowerCutFinding) {
        func both(_ cut: Cut) throws(PowerCutFinding) {
            try body(cut)
            guard maker.isShortened(by: cut) else { return }
            var extended = cut
            extended.isExtended = true
            try body(extended)
        }
        guard pending.count <= setting.exhaustiveLimit else {
            for _ in 0..<setting.sampleCount { try body(sample(&generator)) }
            // Older ones are torn among the samples, and were at the moments before.
            if let newest { try forEachTear(of: newest, &generator, both) }
            return
        }
        for kept in 0..<(1 << UInt64(pending.count)) as Range<UInt64> where hasNewest(kept) {
            try both(Cut(kept: kept))
        }
        for position in pending.indices { try forEachTear(of: position, &generator, both) }
    }

    private func hasNewest(_ kept: UInt64) -> Bool { newest.map { kept >> UInt64($0) & 1 == 1 } ?? true }

    // MARK: Torn writes

    private func forEachTear(
        of position: Int, _ generator: inout SplitMix64, _ body: (Cut) throws(PowerCutFinding) -> Void
    ) throws(PowerCutFinding) {
        guard case .write(_, let offset, let bytes) = pending[position] else { return }
        let end = offset + bytes.count
        for kept in companions(of: position, &generator) {
            for place in boundaries(in: offset, end) {
                for piece in [offset..<place, place..<end] {
                    try body(Cut(kept: kept, tear: Cut.Tear(change: position, pieces: [piece])))
                }
            }
        }
    }

    private func boundaries(in offset: Int, _ end: Int) -> [Int] {
        var places: Set<Int> = []
        for sector in Self.sectorByteCounts {
            let all = Array(stride(from: (offset / sector + 1) * sector, to: end, by: sector))
            // Of a long write the sectors at its ends: those between them are alike.
            places.formUnion(all.prefix(setting.tearCount))
            places.formUnion(all.suffix(setting.tearCount))
        }
        return places.sorted()
    }

    /// What else is there beside a torn write.
    private func companions(of position: Int, _ generator: inout SplitMix64) -> [UInt64] {
        let own: UInt64 = 1 << UInt64(position)
        let all = allChanges & ~own
        let fixed = newest.map { 1 << UInt64($0) } ?? 0 as UInt64
        if pending.count <= setting.tornSubsetLimit + 1 {
            return (0...allChanges).filter { $0 & own == 0 && ($0 | own) & fixed == fixed }
        }
        let random = (0..<setting.tornSubsetLimit).map { _ in (generator.next() | fixed) & all }
        return Array(Set([all, fixed & all] + random)).sorted()
    }

    private var allChanges: UInt64 {
        pending.count == Self.changeLimit ? .max : 1 << UInt64(pending.count) - 1
    }

    // MARK: Samples

    /// With more or less of what is there, and now and then one write of which any sectors are.
    private func sample(_ generator: inout SplitMix64) -> Cut {
        let chance = UInt64.random(in: 1...7, using: &generator)
        var cut = Cut(kept: 0, isSample: true)
        for position in pending.indices where UInt64.random(in: 0..<8, using: &generator) < chance {
            cut.kept |= 1 << UInt64(position)
        }
        if let newest { cut.kept |= 1 << UInt64(newest) }
        cut.isExtended = UInt64.random(in: 0..<4, using: &generator) == 0
        let torn = Int.random(in: pending.indices, using: &generator)
        guard Bool.random(using: &generator), case .write(_, let offset, let bytes) = pending[torn] else { return cut }
        let sector = Self.sectorByteCounts.randomElement(using: &generator) ?? 512
        var pieces: [Range<Int>] = []
        var start = offset
        while start < offset + bytes.count {
            let end = min((start / sector + 1) * sector, offset + bytes.count)
            if Bool.random(using: &generator) { pieces.append(start..<end) }
            start = end
        }
        cut.tear = Cut.Tear(change: torn, pieces: pieces)
        cut.kept &= ~(1 << UInt64(torn))
        return cut
    }
}

extension Medium {
    /// What a power cut can leave now.
    package func images(setting: CutSetting, seed: UInt64) -> [DiskImage] {
        var maker = ImageMaker(self)
        var generator = SplitMix64(seed: seed)
        var images: [DiskImage] = []
        let moment = DiskMachine.Moment(medium: self, states: 0...0, step: "")
        try? CutEnumeration(moment, setting).forEach(maker, &generator) { (cut) throws(PowerCutFinding) in
            let files = maker.image(of: cut).files.map { ($0.name, $0.content.bytes) }
            images.append(DiskImage(Dictionary(uniqueKeysWithValues: files)))
        }
        return images
    }
}
