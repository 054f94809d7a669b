import RVFHost

/// One run over a file: its manifest, then its bytes from the first to the last.
struct FileCheck<H: Host>: ~Copyable {
    let source: ByteSource<H>
    private let options: WorkOptions
    private var pace: WorkPace<H>
    private(set) var report = VerificationReport()
    private var witnesses = WitnessChainCheck()

    /// A longer witness is not followed: it would have to be held in memory.
    private static var witnessByteLimit: UInt64 { 1 << 20 }
    /// The vector segments that the manifest names, by where a row index of each would stand.
    private var vectors: [UInt64: VectorSegment] = [:]
    private var fileID: [UInt8]?
    /// The last segment that does not have its hash.
    private var lastDamagedOffset: UInt64?

    init(_ source: ByteSource<H>, _ options: WorkOptions) {
        self.source = source
        self.options = options
        pace = WorkPace(
            host: source.file.host, path: source.file.path, options: options, totalByteCount: source.byteCount)
        report.byteCount = source.byteCount
    }

    mutating func run() throws(StoreError) {
        if source.byteCount == 0 { report.add(.damage, at: 0, "the file is empty") }
        let manifest = try findManifest()
        if let manifest {
            try checkManifest(manifest)
            try checkMetadata(manifest)
        }
        var walk = FileWalk(source, manifest: manifest)
        while let piece = try walk.next() {
            switch piece {
            case .zeros(let range): checkZeros(range)
            case .stray(let range): try checkStray(range, manifest)
            case .damagedHeader(let entry):
                let isMadeAnew = try source.isOwnSideSegment(entry)
                let isSuperseded = entry.type.isRewritten && entry.type != .vectors
                report.add(
                    isMadeAnew || isSuperseded ? .warning : .damage, at: entry.offset,
                    "the header of the \(entry.type) segment that the manifest names here is damaged")
                try pace.advance(Int(clamping: entry.payloadByteCount))
            case .segment(let header, let offset, let isNamed):
                try checkSegment(header, at: offset, isNamed: isNamed, manifest)
            }
        }
        report.abandonedWitnessCount = witnesses.abandonedCount
        if walk.gaveUp {
            report.add(.warning, at: 0, "so many bytes look like segments that not all of them were examined")
        }
    }

    // MARK: The manifest

    private mutating func findManifest() throws(StoreError) -> FoundManifest? {
        var finder = ManifestFinder(source)
        do throws(StoreError) {
            return try finder.newestOrFailure()
        } catch {
            switch error {
            case .notAStore(_, .noManifest(let nearest)):
                let why = nearest.map { "; the last thing like one " + $0.why } ?? ""
                report.add(.damage, at: nearest?.offset ?? 0, "no manifest can be believed" + why)
            case .limit:
                report.add(.damage, at: 0, "so many bytes look like manifests that the right one was not found")
            case .notAStore: break
            default: throw error
            }
            return nil
        }
    }

    private mutating func checkManifest(_ manifest: FoundManifest) throws(StoreError) {
        report.epoch = manifest.payload.epoch
        report.manifestOffset = manifest.offset
        for rejected in manifest.rejected {
            report.add(.warning, at: rejected.offset, "what looks like a newer manifest here \(rejected.why)")
        }
        if source.byteCount - manifest.offset > CommitLimits.reachByteCount {
            report.add(
                .warning, at: manifest.offset,
                "the manifest begins more than 64 KiB before the end, where other readers do not find it; "
                    + "opening the store for writing publishes it again")
        }
        checkLists(manifest)
        let table = try VectorTable(manifest, in: source, known: nil)
        report.rowCount = table.rowCount
        fileID = manifest.payload.identity?.fileID
        for segment in table.segments {
            if segment.isExcess {
                report.add(
                    .damage, at: segment.entry.offset,
                    "the manifest names the vector segment here besides others of more bytes than the file has")
            }
            if let offset = StoredRowIndex.offset(behind: segment.entry) { vectors[offset] = segment }
        }
        let live = try LiveRowSearch(
            source: source, table: table, rowsInMemory: options.rowsInMemory, spool: nil,
            isDeleted: { _, _ in false }, isAcceptable: nil
        ).run(&pace)
        let isWhole = manifest.damaged.isEmpty && table.segments.allSatisfy { $0.layout != nil }
        let count = manifest.payload.totalVectorCount
        if live.isComplete, isWhole, UInt64(live.rows.liveCount) != count {
            report.add(
                .warning, at: manifest.offset + UInt64(SegmentHeader.byteCount + 6),
                "the manifest counts \(count) vectors, where its segments hold \(live.rows.liveCount)")
        }
    }

    private mutating func checkLists(_ manifest: FoundManifest) {
        let payload = manifest.payload
        let start = manifest.offset + UInt64(SegmentHeader.byteCount)
        let directoryByteCount = DirectoryEntry.byteCount * payload.directory.count
        let lists = start + UInt64(ManifestPayload.fixedByteCount + directoryByteCount) + 4
        for (position, id) in payload.deletedIDs.enumerated().dropFirst() where payload.deletedIDs[position - 1] >= id {
            report.add(
                .warning, at: lists + UInt64(8 * position), "the deleted ids do not rise: \(id) follows "
                    + "\(payload.deletedIDs[position - 1])")
        }
        var end: UInt64 = 0
        for entry in payload.directory.sorted(by: { $0.offset < $1.offset }) {
            if entry.offset < end {
                report.add(.warning, at: entry.offset, "the manifest names two segments that overlap, or one twice")
            }
            end = max(end, entry.end ?? .max)
        }
    }

    mutating func add(_ severity: VerificationReport.Severity, at offset: UInt64, _ what: String) {
        report.add(severity, at: offset, what)
    }

    // MARK: Segments

    private mutating func checkSegment(
        _ header: SegmentHeader, at offset: UInt64, isNamed: Bool, _ manifest: FoundManifest?
    ) throws(StoreError) {
        report.segmentCount += 1
        let index = try rowIndex(header, at: offset)
        if !isNamed, index == nil, header.type != .manifest || manifest == nil {
            report.add(.note, at: offset, "a \(header.type) segment that no manifest in force names")
        }
        checkFields(header, at: offset, isNamed: isNamed)
        var rows = RowCheck(header, at: offset, dimension: manifest?.payload.dimension)
        var checksum = CRC32()
        var position = offset + UInt64(SegmentHeader.byteCount)
        let end = position + header.payloadByteCount
        while position < end {
            let count = Int(min(UInt64(ByteSource<H>.windowByteCount), end - position))
            try source.withBytes(at: position, count: count) { (bytes) throws(StoreError) in
                checksum.update(bytes)
                rows?.update(bytes)
            }
            position += UInt64(count)
            try pace.advance(count)
        }
        let severity: VerificationReport.Severity = isNamed ? .damage : .warning
        let verdict = header.hash.verdict(onChecksum: checksum.value)
        if header.type == .witness, header.version == SegmentHeader.currentVersion {
            try checkWitness(header, at: offset, isIntact: verdict == .matches)
        }
        switch verdict {
        case .matches: break
        case .unset: report.add(.note, at: offset, "the \(header.type) segment here has no hash")
        case .unverifiable:
            report.add(.note, at: offset, "the \(header.type) segment here has a hash of a kind that is not known here")
        case .differs:
            // Nothing that its bytes seem to say is worth telling.
            report.add(
                severity, at: offset, "the \(header.type) segment here does not have the hash that its header gives")
            lastDamagedOffset = offset
            return
        }
        try checkCheckpoints(header, at: offset, severity)
        if let index { try checkIndex(index, at: offset) }
        for problem in rows?.finish() ?? [] {
            report.add(problem.isDamage ? severity : .warning, at: problem.offset, problem.what)
        }
    }

    /// What is not known to be what was written proves nothing about a chain.
    private mutating func checkWitness(
        _ header: SegmentHeader, at offset: UInt64, isIntact: Bool
    ) throws(StoreError) {
        guard isIntact else { return witnesses.lose() }
        guard header.payloadByteCount <= Self.witnessByteLimit else {
            witnesses.lose()
            return report.add(.note, at: offset, "the witness here is too long to be looked at")
        }
        let bytes = try source.read(at: offset + UInt64(SegmentHeader.byteCount), count: Int(header.payloadByteCount))
        guard let witness = try? WitnessPayload(bytes.bytes) else {
            witnesses.lose()
            return report.add(.warning, at: offset, "the witness here is malformed")
        }
        report.witnessCount += 1
        switch witnesses.judge(witness, hash: WitnessHash(hashing: bytes.bytes)) {
        case .start: report.witnessChainCount += 1
        case .next: break
        case .broken:
            report.add(.warning, at: offset, "the witness here goes on from one that is not in its chain")
        }
    }

    /// Checkpoints whose bytes are what was written, and say nothing all the same.
    private mutating func checkCheckpoints(
        _ header: SegmentHeader, at offset: UInt64, _ severity: VerificationReport.Severity
    ) throws(StoreError) {
        let entry = DirectoryEntry(header, at: offset)
        guard try source.checkpointHead(of: entry) != nil, try source.checkpoints(at: entry) == nil else { return }
        report.add(severity, at: offset, "the checkpoints here are malformed")
    }

    /// The row index that speaks of a named vector segment, if this segment is one.
    private func rowIndex(_ header: SegmentHeader, at offset: UInt64) throws(StoreError) -> StoredRowIndex? {
        guard header.type == .rowIndex, let fileID, let segment = vectors[offset] else { return nil }
        return try segment.findIndex(ofFile: fileID, in: source)
    }

    /// Compares an index that readers go by with the rows.
    private mutating func checkIndex(_ index: StoredRowIndex, at offset: UInt64) throws(StoreError) {
        guard let segment = vectors[offset], segment.entry.offset != lastDamagedOffset else { return }
        var agrees = false
        if let run = try index.checkedRun(in: source) { agrees = try segment.agrees(with: run, in: source) }
        if !agrees {
            report.add(
                .damage, at: offset,
                "the row index here does not agree with the rows of the segment at byte \(segment.entry.offset); "
                    + "not all of them are found; a compaction makes it anew")
        }
        try pace.advance(Int(clamping: segment.entry.payloadByteCount))
    }

    /// Fields that no hash covers, and that writers leave zero.
    private mutating func checkFields(_ header: SegmentHeader, at offset: UInt64, isNamed: Bool) {
        if header.version != SegmentHeader.currentVersion {
            report.add(.note, at: offset, "a \(header.type) segment of version \(header.version), which is skipped")
            return
        }
        if header.compression != 0, header.type == .vectors {
            report.add(
                isNamed ? .damage : .warning, at: offset, "the vector segment is compressed, which cannot be read here")
        }
        let fields: [(String, Bool)] = [
            ("flags", header.flags != 0), ("timestamp", header.timestampNanoseconds != 0),
            ("checksum algorithm", header.checksumAlgorithm != 0), ("reserved bytes", header.reserved != 0),
            ("compression", header.compression != 0 && header.type != .vectors),
            ("uncompressed length", header.uncompressedByteCount != 0), ("padding", header.pad != 0),
        ]
        for (name, isSet) in fields where isSet {
            report.add(.note, at: offset, "the header's \(name) is not zero, as most writers leave it")
        }
    }

    // MARK: Between them

    private mutating func checkZeros(_ range: Range<UInt64>) {
        let count = range.upperBound - range.lowerBound
        if count >= UInt64(SegmentHeader.byteCount) {
            // A witness may have been here.
            witnesses.lose()
            report.add(.note, at: range.lowerBound, "\(count) zero bytes that belong to nothing")
        }
    }

    private mutating func checkStray(_ range: Range<UInt64>, _ manifest: FoundManifest?) throws(StoreError) {
        let count = range.upperBound - range.lowerBound
        witnesses.lose()
        report.add(
            manifest == nil ? .damage : .warning, at: range.lowerBound,
            "\(count) bytes that belong to no segment: what an interrupted commit, or damage, left")
        try pace.advance(Int(clamping: count))
    }
}
