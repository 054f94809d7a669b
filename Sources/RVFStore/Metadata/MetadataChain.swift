/// How the metadata segments that a manifest names belong together, found out from their first bytes alone.
///
/// As a rule they are a full snapshot and the deltas after it. But a peer that compacts a store without knowing what
/// metadata is names every segment of the file, in the order of the file: superseded ones, and deltas of commits that
/// never succeeded. So
///
/// - a full snapshot stands for itself;
/// - a delta belongs to the latest segment before it that gives the generation that is its base;
/// - what has a generation takes the place of all before it that have the same or a higher one;
/// - a delta whose base is not there, or that no chain has room for, does not fit, and counts as not there;
/// - the last segment that fits, and what it rests on, is the metadata.
///
/// A writer that failed goes on from the generation before, so what it committed in the end takes the place of what it
/// had tried.
package struct MetadataChain: Sendable {
    private struct Link: Sendable {
        var generation: UInt64
        /// Nil for a full snapshot.
        var parent: Int?
        var deltaCount = 0
        /// Of all payloads from the snapshot on.
        var byteCount: Int
    }

    /// Nil for one that does not fit.
    private var links: [Link?] = []
    /// Positions of what a delta can rest on, by rising generation.
    private var bases: [Int] = []
    private var tip: Int?

    package init() {}

    package var count: Int { links.count }

    /// Takes in the next segment.
    ///
    /// - Returns: whether it fits.
    @discardableResult
    package mutating func append(generation: UInt64, baseGeneration: UInt64?, byteCount: Int) -> Bool {
        let link = link(generation, baseGeneration, byteCount)
        links.append(link)
        guard link != nil else { return false }
        while let last = bases.last, let base = links[last], base.generation >= generation { bases.removeLast() }
        bases.append(links.count - 1)
        tip = links.count - 1
        return true
    }

    private func link(_ generation: UInt64, _ baseGeneration: UInt64?, _ byteCount: Int) -> Link? {
        guard let baseGeneration else { return Link(generation: generation, byteCount: byteCount) }
        guard let parent = position(ofGeneration: baseGeneration), let base = links[parent],
            base.deltaCount < MetadataFormat.deltaLimit,
            base.byteCount + byteCount <= MetadataFormat.payloadByteLimit
        else { return nil }
        return Link(
            generation: generation, parent: parent, deltaCount: base.deltaCount + 1,
            byteCount: base.byteCount + byteCount)
    }

    private func position(ofGeneration generation: UInt64) -> Int? {
        var low = 0
        var high = bases.count
        while low < high {
            let middle = (low + high) / 2
            if links[bases[middle]]?.generation ?? 0 < generation { low = middle + 1 } else { high = middle }
        }
        guard low < bases.count, links[bases[low]]?.generation == generation else { return nil }
        return bases[low]
    }

    package func fits(_ position: Int) -> Bool { links[position] != nil }

    /// The positions of the segments that count: a snapshot and its deltas, in the order in which they are applied.
    package var path: [Int] {
        var path: [Int] = []
        var next = tip
        while let position = next {
            path.append(position)
            next = links[position]?.parent
        }
        return path.reversed()
    }
}
