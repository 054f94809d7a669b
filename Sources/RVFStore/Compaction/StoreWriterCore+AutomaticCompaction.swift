import RVFHost

extension StoreWriterCore {
    /// How the last automatic compaction ended; nil where there was none.
    package var lastAutomaticCompaction: Result<CompactionReport, StoreError>? { compactionMemory.outcome }

    /// To be called when a commit is done. What becomes of the compaction is no concern of the commit.
    mutating func compactIfPolicyAsks() {
        guard case .automatic(let triggers) = options.compaction else { return }
        do throws(StoreError) {
            guard let report = try compactIfDue(triggers) else { return }
            compactionMemory.outcome = .success(report)
        } catch {
            compactionMemory.outcome = .failure(error)
        }
    }

    /// Compacts where the triggers ask for it; nil where they do not.
    package mutating func compactIfDue(_ triggers: CompactionTriggers) throws(StoreError) -> CompactionReport? {
        let now = file.host.bootClockNanoseconds()
        if let end = compactionMemory.endNanoseconds, .nanoseconds(now - end) < triggers.interval { return nil }
        guard try isWorthwhile(triggers) else { return nil }
        // Also after a failure: what failed now will fail again a moment later, and costs as much.
        defer { compactionMemory.endNanoseconds = file.host.bootClockNanoseconds() }
        if compactionMemory.carriedByteCount == nil {
            compactionMemory.carriedByteCount = try unnamedByteCount()
            guard try isWorthwhile(triggers) else { return nil }
        }
        let report = try compact(triggers.work)
        // What is left cannot be freed, whatever it is.
        let kept = try neededByteCount(with: 0)
        compactionMemory.carriedByteCount = report.byteCount - min(report.byteCount, kept)
        return report
    }

    private func isWorthwhile(_ triggers: CompactionTriggers) throws(StoreError) -> Bool {
        let needed = try neededByteCount(with: compactionMemory.carriedByteCount ?? 0)
        let freed = fileByteCount - min(fileByteCount, needed)
        return freed > 0 && freed >= triggers.byteCount && Double(freed) >= triggers.share * Double(fileByteCount)
    }

    /// What the file would take after a compaction, from the counts in the manifest: no more than a look at its
    /// directory, which every commit writes anew.
    private func neededByteCount(with carried: UInt64) throws(StoreError) -> UInt64 {
        let manifest = snapshot.manifest.payload
        // Another writer's count may be anything.
        let total = min(Int(clamping: manifest.totalVectorCount), try snapshot.vectorTable().rowCount)
        let rows = VectorCopy<H>.byteCountLimit(
            rowCount: max(0, total - snapshot.deletedIDs.count), dimension: Int(manifest.dimension),
            limits: options.limits)
        // Padding is up to a header's length.
        let others = manifest.directory.reduce(UInt64(2 * SegmentHeader.byteCount)) {
            $1.type == .vectors ? $0 : $0 &+ $1.payloadByteCount &+ UInt64(2 * SegmentHeader.byteCount)
        }
        return [others, carried].reduce(rows) {
            let (sum, overflow) = $0.addingReportingOverflow($1)
            return overflow ? .max : sum
        }
    }

    /// Goes through the file once, from header to header.
    private func unnamedByteCount() throws(StoreError) -> UInt64 {
        let manifest = snapshot.manifest
        let source = ByteSource(file: file, byteCount: fileByteCount, mode: .positional)
        let carry = ForeignCarry(
            source: source, directory: manifest.payload.directory, manifest: manifest, leavesOutMetadata: true)
        return try carry.survey().unnamedByteCount
    }
}
