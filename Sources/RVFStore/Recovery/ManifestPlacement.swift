package import RVFHost

/// Whether a manifest stands among the segments of its file, or inside one of them: a payload may hold a whole store.
///
/// The segments are walked from a place known to be the beginning of one (offset 0, or the end of a manifest that was
/// believed before) to the candidate, over the segments that the candidate names and, between them, over whatever
/// other headers stand there. `spec/store-format.md` gives the rule and its reasons.
package struct ManifestPlacement<H: Host>: Sendable {
    package enum Verdict: Equatable, Sendable {
        /// The candidate stands among the segments. The named segments with a damaged header are listed.
        case amongSegments(damaged: [DirectoryEntry])
        /// A segment that is whole covers the candidate.
        case enclosed(by: Range<UInt64>)
        /// The candidate contradicts what stands in the file.
        case contradicted(String)
    }

    private struct Named {
        var entry: DirectoryEntry
        var end: UInt64
        var isIntact: Bool
    }

    private enum Step {
        case to(UInt64)
        case decided(Verdict)
    }

    private let candidate: UInt64
    /// Whether the candidate itself says, in its mark, that it stands here.
    private let isMarked: Bool
    /// The segments that the candidate names, by offset.
    private var named: [Named] = []
    private var damaged: [DirectoryEntry] = []

    package init(candidate: UInt64, isMarked: Bool) {
        self.candidate = candidate
        self.isMarked = isMarked
    }

    /// - Parameter known: a manifest before the candidate that is believed. The walk begins at its end, and what it
    ///   names is not looked at again.
    package mutating func verdict(
        on directory: [DirectoryEntry], after known: FoundManifest?, examining: inout Examination<H>
    ) throws(StoreError) -> Verdict {
        var position: UInt64 = 0
        var unknown = directory
        // Where something is damaged, all is walked.
        if let known, known.damaged.isEmpty {
            position = known.end
            unknown = Self.entries(of: directory, notIn: known.payload.directory)
        }
        if let refusal = try nameSegments(unknown, &examining) { return refusal }
        var index = 0
        while position < candidate {
            while index < named.count, named[index].entry.offset < position {
                // A damaged one that the walk did not come to is not where the candidate says.
                if !named[index].isIntact, damaged.last != named[index].entry { return misplaced(named[index]) }
                index += 1
            }
            switch try step(from: position, toward: index, &examining) {
            case .to(let next): position = next
            case .decided(let verdict): return verdict
            }
        }
        if let left = named[index...].first(where: { !$0.isIntact && $0.entry != damaged.last }) {
            return misplaced(left)
        }
        return .amongSegments(damaged: damaged)
    }

    /// The entries that are new, given that the others stand in the order in which they stood before.
    private static func entries(
        of directory: [DirectoryEntry], notIn earlier: [DirectoryEntry]
    ) -> [DirectoryEntry] {
        var next = 0
        var unknown: [DirectoryEntry] = []
        for entry in directory {
            // Entries that were dropped are few; nothing is lost by looking at one again that was not.
            if next < earlier.count, earlier[next] == entry {
                next += 1
            } else if let position = earlier[next..<min(next + 64, earlier.count)].firstIndex(of: entry) {
                next = position + 1
            } else {
                unknown.append(entry)
            }
        }
        return unknown
    }

    /// Compares every entry with the header that it speaks of.
    private mutating func nameSegments(
        _ directory: [DirectoryEntry], _ examining: inout Examination<H>
    ) throws(StoreError) -> Verdict? {
        for entry in Set(directory) {
            guard let end = entry.end, end <= candidate else {
                return .contradicted("names a segment at byte \(entry.offset) that does not end before it")
            }
            let header = try examining.header(at: entry.offset)
            named.append(Named(entry: entry, end: end, isIntact: header.map(entry.matches) ?? false))
        }
        named.sort { $0.entry.offset < $1.entry.offset }
        return nil
    }

    /// One segment, or one run of padding, further.
    private mutating func step(
        from position: UInt64, toward index: Int, _ examining: inout Examination<H>
    ) throws(StoreError) -> Step {
        let next = index < named.count ? named[index] : nil
        let limit = next?.entry.offset ?? candidate
        if let next, position == limit {
            return next.isIntact ? .to(next.end) : try stepOverDamaged(next, at: index, &examining)
        }
        guard let header = try examining.header(at: position) else {
            return try stepOverPadding(from: position, toward: index, limit: limit, &examining)
        }
        if let end = header.end(at: position), end <= limit { return .to(end) }
        guard let end = try examining.wholeEnd(of: header, at: position) else {
            return resume(after: position, toward: index)
        }
        if end > candidate { return .decided(.enclosed(by: position..<end)) }
        return .decided(.contradicted("names a segment at byte \(limit), inside the one at byte \(position)"))
    }

    private func stepOverPadding(
        from position: UInt64, toward index: Int, limit: UInt64, _ examining: inout Examination<H>
    ) throws(StoreError) -> Step {
        let end = try examining.endOfZeros(from: position, limit: limit)
        if end == limit { return .to(limit) }
        if end > position, try examining.header(at: end) != nil { return .to(end) }
        return resume(after: position, toward: index)
    }

    /// A named segment whose header is not as named. It is taken for damaged where the hole has exactly its size, and
    /// the candidate for wrong where another segment stands there.
    private mutating func stepOverDamaged(
        _ segment: Named, at index: Int, _ examining: inout Examination<H>
    ) throws(StoreError) -> Step {
        let entry = segment.entry
        if let header = try examining.header(at: entry.offset) {
            let hasOtherLength = header.payloadByteCount != entry.payloadByteCount
            let isAnother = header.type != entry.type && header.id != entry.id
            if hasOtherLength || isAnother, try examining.wholeEnd(of: header, at: entry.offset) != nil {
                return .decided(.contradicted("names a segment at byte \(entry.offset) where another one stands"))
            }
        }
        let nextNamed = index + 1 < named.count ? named[index + 1].entry.offset : candidate
        guard segment.end <= nextNamed else { return .decided(misplaced(segment)) }
        let paddingEnd = try examining.endOfZeros(from: segment.end, limit: nextNamed)
        if paddingEnd != nextNamed, try examining.header(at: paddingEnd) == nil { return .decided(misplaced(segment)) }
        damaged.append(entry)
        return .to(segment.end)
    }

    /// The walk came to bytes that are no segment: what an interrupted commit or damage left. It goes on where an
    /// intact segment is named; a manifest that names none from here on must say itself where it stands.
    private func resume(after position: UInt64, toward index: Int) -> Step {
        if let next = named[index...].first(where: \.isIntact) { return .to(next.entry.offset) }
        return isMarked ? .to(candidate) : unlinked(position)
    }

    private func unlinked(_ position: UInt64) -> Step {
        .decided(
            .contradicted("stands after bytes, from \(position) on, that are no segment, and names none behind them"))
    }

    private func misplaced(_ segment: Named) -> Verdict {
        .contradicted("names a segment at byte \(segment.entry.offset) that is not there")
    }
}
