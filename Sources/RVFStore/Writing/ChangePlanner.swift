import RVFHost

/// Works out which vector segments a commit rewrites, and which of their rows stay.
struct ChangePlanner<H: Host>: Sendable {
    let snapshot: SnapshotCore<H>
    let table: VectorTable
    let rows: UpsertRows
    /// The ids of `rows`.
    let newRun: RowRun
    let limits: CommitLimits
    /// How many deleted ids the manifest has room for, beside so many entries of vector segments.
    let deletedRoom: @Sendable (_ vectorEntries: Int) -> Int
    /// Of every vector segment, whether nothing is known to be wrong with it. The rows of one that has a row index are
    /// checked only before they are copied.
    private(set) var isIntact: [Bool] = []
    /// Whether that is so of every vector segment that is named. If not, nobody knows which ids there are, and rows of
    /// deleted ids stay, so that the deleted list can stay as it is.
    private(set) var isWhole = false
    /// The list that the manifest would have if nothing were rewritten.
    let deletedIDs: [UInt64]
    let totalVectorCount: UInt64
    let idCount: Int?

    private var rowsPerSegment: Int { limits.rowsPerSegment(dimension: Int(snapshot.manifest.payload.dimension)) }

    /// The change, with as little rewriting as keeps the directory short and the deleted list within its room.
    ///
    /// - Parameter merging: whether segments may be merged for the directory's sake.
    mutating func change(merging: Bool) throws(StoreError) -> StoreChange {
        while true {
            try examine()
            var ranges = merging ? mergedRanges() : []
            guard try areFit(ranges) else { continue }
            let room = deletedRoom(entryCount(after: ranges))
            var remaining: [UInt64]?
            if isWhole, deletedIDs.count > room {
                var selection = PurgeSelection(deletedIDs: deletedIDs, runs: try runs(), replaced: ranges)
                let chosen = selection.choose(keepingAtMost: room, rowCounts: table.segments.map(Self.rowCount))
                guard try areFit(chosen.map { $0..<($0 + 1) }) else { continue }
                ranges = Self.union(ranges, chosen)
                remaining = selection.remainingIDs
            }
            let change = try makeChange(ranges, remaining: remaining)
            if isUpToDate { return change }
        }
    }

    /// Whether nothing has been found out meanwhile that asks for another plan: an index that says wrong things of its
    /// rows makes them be read.
    private var isUpToDate: Bool {
        table.segments.indices.allSatisfy { !isIntact[$0] || !table.segments[$0].isFoundDamaged }
    }

    private static func rowCount(_ segment: VectorSegment) -> Int { segment.layout?.rowCount ?? 0 }

    private mutating func examine() throws(StoreError) {
        isIntact = []
        isIntact.reserveCapacity(table.segments.count)
        for segment in table.segments { isIntact.append(try segment.isUsable(in: snapshot.source)) }
        let named = snapshot.manifest.payload.directory.count { $0.type == .vectors }
        isWhole = isIntact.allSatisfy { $0 } && named == table.segments.count
    }

    private func runs() throws(StoreError) -> [RowRun] {
        var runs: [RowRun] = []
        for segment in table.segments { runs.append(try segment.rowRun(in: snapshot.source)) }
        return runs
    }

    /// Whether every segment that is to be rewritten is found to be as it was; if not, what is now known of it asks
    /// for another plan.
    private func areFit(_ ranges: [Range<Int>]) throws(StoreError) -> Bool {
        for ordinal in ranges.joined() where ordinal < table.segments.count {
            guard try table.segments[ordinal].isFitForCopying(in: snapshot.source) else { return false }
        }
        return true
    }

    // MARK: Merging

    /// Runs of neighbours to be made one, over the table's positions; the one beyond the last is the new rows'.
    private func mergedRanges() -> [Range<Int>] {
        let stride = VectorPayload.strideBytes(dimension: Int(snapshot.manifest.payload.dimension))
        var items: [MergePolicy.Item] = []
        // A segment that is of no known version stands in the directory and not in the table.
        var ordinals: [Int?] = []
        items.reserveCapacity(table.segments.count + 1)
        ordinals.reserveCapacity(table.segments.count + 1)
        var ordinal = 0
        for entry in snapshot.manifest.payload.directory where entry.type == .vectors {
            let isKnown = ordinal < table.segments.count && table.segments[ordinal].entry == entry
            let segment = isKnown ? table.segments[ordinal] : nil
            let layout = segment?.layout
            let isPlain = layout.map { UInt64($0.byteCount) == entry.payloadByteCount } ?? false
            let rowCount = layout?.rowCount ?? 0
            items.append(
                MergePolicy.Item(
                    rowCount: rowCount, byteCount: rowCount * stride,
                    isMovable: isKnown && isPlain && isIntact[ordinal]))
            ordinals.append(isKnown ? ordinal : nil)
            if isKnown { ordinal += 1 }
        }
        if rows.count > 0 {
            items.append(MergePolicy.Item(rowCount: rows.count, byteCount: rows.count * stride, isMovable: true))
            ordinals.append(ordinal)
        }
        let groups = affordable(MergePolicy.groups(items, segmentByteCount: rowsPerSegment * stride))
        return groups.compactMap { group in
            guard let first = ordinals[group.items.lowerBound] else { return nil }
            return first..<(first + group.items.count)
        }
    }

    /// What one commit copies is bounded: by the length of a segment, unless the manifest would not fit. The newest
    /// groups come first, since they are what keeps the work from piling up.
    private func affordable(_ groups: [MergePolicy.Group]) -> [MergePolicy.Group] {
        var byteCount = 0
        var entries = table.segments.count + 1
        var chosen: [MergePolicy.Group] = []
        for group in groups.reversed() {
            let fits = byteCount + group.byteCount <= limits.segmentByteCount
            guard chosen.isEmpty || fits || deletedRoom(entries) < deletedIDs.count else { continue }
            chosen.append(group)
            byteCount += group.byteCount
            entries -= group.items.count - 1
        }
        return chosen.reversed()
    }

    /// How many vector segments there are afterwards, at most.
    private func entryCount(after ranges: [Range<Int>]) -> Int {
        let newSegments = (rows.count + rowsPerSegment - 1) / rowsPerSegment
        return ranges.reduce(table.segments.count + newSegments) { $0 - ($1.count - 1) }
    }

    /// Ranges, and single positions that are in none of them.
    private static func union(_ ranges: [Range<Int>], _ positions: [Int]) -> [Range<Int>] {
        (ranges + positions.map { $0..<($0 + 1) }).sorted { $0.lowerBound < $1.lowerBound }
    }

    // MARK: What stays

    /// - Parameters:
    ///   - ranges: what is rewritten, rising.
    ///   - remaining: the deleted list afterwards, where that is known.
    private func makeChange(_ ranges: [Range<Int>], remaining: [UInt64]?) throws(StoreError) -> StoreChange {
        var change = StoreChange(
            deletedIDs: remaining ?? deletedIDs, totalVectorCount: totalVectorCount, idCount: idCount)
        // Ids of which rows are left out since they are deleted.
        var purged: [UInt64] = []
        var isReplaced = [Bool](repeating: false, count: table.segments.count)
        var newRowCount = rows.count
        for range in ranges {
            let stored = range.clamped(to: 0..<table.segments.count)
            let takesNewRows = range.upperBound > table.segments.count
            var kept: [(segment: VectorSegment, keep: RowSet)] = []
            for ordinal in stored {
                isReplaced[ordinal] = true
                kept.append((table.segments[ordinal], try keptRows(of: ordinal, purged: &purged)))
            }
            let new = NewSegment.split(
                stored: kept, newRowCount: takesNewRows ? newRowCount : 0, rowsPerSegment: rowsPerSegment)
            change.replacements.append(StoreChange.Replacement(segments: stored, new: new))
            if takesNewRows { newRowCount = 0 }
        }
        if newRowCount > 0 {
            let end = table.segments.count
            let new = NewSegment.split(stored: [], newRowCount: newRowCount, rowsPerSegment: rowsPerSegment)
            change.replacements.append(StoreChange.Replacement(segments: end..<end, new: new))
        }
        try forget(purged, isReplaced, knowing: remaining, in: &change)
        return change
    }

    /// The rows of a segment that are the newest of their id and not deleted. A row in a segment that was found damaged
    /// does not count as newer: its id may be what is damaged. Nor does one of which only an index speaks: it is asked.
    private func keptRows(of ordinal: Int, purged: inout [UInt64]) throws(StoreError) -> RowSet {
        let run = try table.segments[ordinal].rowRun(in: snapshot.source)
        var keep = RowSet(rowCount: Self.rowCount(table.segments[ordinal]))
        let newer = try newerSegments(than: ordinal)
        for position in 0..<run.count {
            let id = run.id(at: position)
            if isWhole, deletedIDs.positionInRising(id) != nil {
                purged.append(id)
                continue
            }
            var isSuperseded = newRun.contains(id)
            for (segment, run) in newer where !isSuperseded && run.contains(id) {
                isSuperseded = try segment.row(of: id, in: snapshot.source) != nil && !segment.isFoundDamaged
            }
            if !isSuperseded { keep.insert(Int(run.row(at: position))) }
        }
        return keep
    }

    /// The segments behind one that may have ids of it.
    private func newerSegments(than ordinal: Int) throws(StoreError) -> [(segment: VectorSegment, run: RowRun)] {
        guard let bounds = try table.segments[ordinal].idBounds(in: snapshot.source) else { return [] }
        var newer: [(segment: VectorSegment, run: RowRun)] = []
        for segment in table.segments[(ordinal + 1)...] {
            guard let others = try segment.idBounds(in: snapshot.source), others.overlaps(bounds) else { continue }
            let run = try segment.rowRun(in: snapshot.source)
            if !segment.isFoundDamaged { newer.append((segment, run)) }
        }
        return newer
    }

    /// Takes ids off the deleted list of which no segment has a row any more.
    private func forget(
        _ purged: [UInt64], _ isReplaced: [Bool], knowing remaining: [UInt64]?, in change: inout StoreChange
    ) throws(StoreError) {
        guard !purged.isEmpty else { return }
        let others = try RowFinder(
            table.segments.indices.filter { !isReplaced[$0] }.map { table.segments[$0] }, in: snapshot.source)
        var forgotten: [UInt64] = []
        for id in purged.risingDistinct {
            let isLeft =
                if let remaining { remaining.positionInRising(id) != nil } else {
                    try others.find(id, in: snapshot.source) != nil
                }
            if !isLeft { forgotten.append(id) }
        }
        if remaining == nil {
            change.deletedIDs.removeAll { forgotten.positionInRising($0) != nil }
        }
        change.totalVectorCount -= min(change.totalVectorCount, UInt64(forgotten.count))
        change.idCount = idCount.map { max(0, $0 - forgotten.count) }
    }
}
