import RVFLock
import RVFStore

extension FuzzTarget {
    static let payloadTargets = [
        FuzzTarget(
            "lock-record", seeds: PayloadSeeds.lockRecords, greedy: { [0, 0xFF].map(GreedyInputs.repeating) },
            checkLockRecord),
        FuzzTarget(
            "segment-header", seeds: PayloadSeeds.segmentHeaders, greedy: { [0, 0xFF].map(GreedyInputs.repeating) },
            checkSegmentHeader),
        FuzzTarget("manifest", seeds: PayloadSeeds.manifests, greedy: GreedyPayloads.manifests) { input in
            try roundTrip(input, ManifestPayload.init, \.encoded)
        },
        FuzzTarget("vectors", seeds: PayloadSeeds.vectors, greedy: GreedyPayloads.vectors, checkVectors),
        FuzzTarget("journal", seeds: PayloadSeeds.journals, greedy: GreedyPayloads.journals) { input in
            try roundTrip(input, JournalPayload.init, \.encoded)
        },
        FuzzTarget("witness", seeds: PayloadSeeds.witnesses, greedy: GreedyPayloads.witnesses) { input in
            try roundTrip(input, WitnessPayload.init, \.encoded)
        },
        FuzzTarget("checkpoints", seeds: PayloadSeeds.checkpoints, greedy: GreedyPayloads.checkpoints) { input in
            try roundTrip(input, CheckpointPayload.init, \.encoded)
        },
        FuzzTarget("metric", seeds: PayloadSeeds.metrics, greedy: { [GreedyInputs.repeating(0)] }, checkMetric),
        FuzzTarget("metadata", seeds: PayloadSeeds.metadata, greedy: GreedyPayloads.metadata, checkMetadata),
        FuzzTarget("row-index", seeds: PayloadSeeds.rowIndexes, greedy: GreedyPayloads.rowIndexes, checkRowIndex),
    ]

    /// What is refused is refused with a place within the input; what is taken means the same once it was encoded.
    private static func roundTrip<Payload: Equatable>(
        _ input: [UInt8], _ decode: (RawSpan) throws(FormatError) -> Payload, _ encode: (Payload) -> [UInt8]
    ) throws {
        let payload: Payload
        do throws(FormatError) {
            payload = try decode(input.bytes)
        } catch {
            return try checkPlace(error, in: input)
        }
        let encoded = encode(payload)
        let again = try decode(encoded.bytes)
        try FuzzFailure.unless(again == payload, "encoded, \(payload) reads as \(again)")
        try FuzzFailure.unless(encode(again) == encoded, "encoded twice, \(payload) gives other bytes")
    }

    private static func checkPlace(_ error: FormatError, in input: [UInt8]) throws {
        try FuzzFailure.unless(
            (0...max(input.count, MetadataFooter.byteCount)).contains(error.offset) && !error.what.isEmpty,
            "an error beyond the input: \(error)")
    }

    private static func checkLockRecord(_ input: [UInt8]) throws {
        try checkReading(LockRecordReading(input))
        // As it would be with the right checksum, which a search does not find.
        guard input.count == LockRecord.byteCount, var raw = RecordBytes(input) else { return }
        raw.checksum = raw.computedChecksum
        let reading = LockRecordReading(raw.array)
        try FuzzFailure.unless(!reading.problems.contains(.checksum), "a right checksum is wrong")
        try checkReading(reading)
    }

    private static func checkReading(_ reading: LockRecordReading) throws {
        _ = reading.problems.description
        guard var record = reading.record else { return }
        let again = LockRecordReading(record.encoded())
        try FuzzFailure.unless(again.problems.isSubset(of: .version), "encoded, \(record) has \(again.problems)")
        record.hostName = Array(LockRecord.storedName(of: record.hostName))
        try FuzzFailure.unless(again.record == record, "encoded, \(record) reads as \(again)")
    }

    private static func checkSegmentHeader(_ input: [UInt8]) throws {
        guard let header = SegmentHeader(input.bytes) else { return }
        try FuzzFailure.unless(header.encoded == Array(input.prefix(SegmentHeader.byteCount)), "\(header) is lossy")
        if let end = header.end(at: 0) {
            try FuzzFailure.unless(end >= header.payloadByteCount, "\(header) ends at \(end)")
        }
        _ = (header.type.description, header.hash.expectedChecksum, header.end(at: .max))
    }

    private static func checkVectors(_ input: [UInt8]) throws {
        let payload: VectorPayload
        do throws(FormatError) {
            payload = try VectorPayload(head: input.bytes, payloadByteCount: input.count)
        } catch {
            return try checkPlace(error, in: input)
        }
        try FuzzFailure.unless(payload.encodedHead == Array(input.prefix(6)), "\(payload) is lossy")
        try FuzzFailure.unless(payload.byteCount <= input.count, "\(payload) is longer than its bytes")
        if payload.rowCount > 0 {
            let end = payload.offset(ofRow: payload.rowCount - 1) + payload.strideBytes
            try FuzzFailure.unless(end == payload.byteCount, "the last row of \(payload) ends at \(end)")
        }
    }

    private static func checkMetric(_ input: [UInt8]) throws {
        guard let payload = MetricPayload(input.bytes) else { return }
        let again = MetricPayload(payload.encoded.bytes)
        try FuzzFailure.unless(again == payload, "encoded, \(payload) reads as \(again.debugDescription)")
    }

    private static func checkMetadata(_ input: [UInt8]) throws {
        try checkWholeMetadata(input)
        // As it would be with a right footer, which a search does not find.
        var finished = Array(input.dropLast(MetadataFooter.byteCount))
        MetadataFooter.append(to: &finished)
        try checkWholeMetadata(finished)
    }

    private static func checkWholeMetadata(_ input: [UInt8]) throws {
        let payload: MetadataPayload
        do throws(FormatError) {
            payload = try MetadataPayload(input.bytes)
        } catch {
            return try checkPlace(error, in: input)
        }
        // One form only: the hash would differ otherwise.
        try FuzzFailure.unless(try payload.encoded() == input, "\(payload) is encoded as other bytes")
        try checkState(of: payload, byteCount: input.count)
    }

    /// What it means shows as that what it says, in a state that holds nothing else.
    private static func checkState(of payload: MetadataPayload, byteCount: Int) throws {
        let state: MetadataState
        do throws(FormatError) {
            state = try MetadataState().applying(payload, byteCount: byteCount)
        } catch {
            return
        }
        let ids = state.ids
        for id in ids {
            guard let fields = state.fields(of: id) else { throw FuzzFailure("id \(id) has no fields") }
            for (field, _) in fields { _ = state.value(of: field.name, for: id) }
        }
        let snapshot = state.snapshot(generation: payload.generation)
        let encoded = try snapshot.encoded()
        let again = try MetadataState().applying(MetadataPayload(encoded.bytes), byteCount: encoded.count)
        try FuzzFailure.unless(again.ids == ids, "a snapshot of the state has other ids")
        for id in ids {
            let isSame = again.fields(of: id)?.map(\.value) == state.fields(of: id)?.map(\.value)
            try FuzzFailure.unless(isSame, "a snapshot of the state has other fields for \(id)")
        }
    }

    private static func checkRowIndex(_ input: [UInt8]) throws {
        try checkWholeRowIndex(input)
        // As it would be with the head's right checksum, which a search does not find.
        guard input.count >= RowIndexPayload.headByteCount else { return }
        var finished = input
        let checksum = CRC32.of(input.bytes.extracting(0..<76))
        for byte in 0..<4 { finished[76 + byte] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * byte)) }
        try checkWholeRowIndex(finished)
    }

    private static func checkWholeRowIndex(_ input: [UInt8]) throws {
        let payload: RowIndexPayload
        do throws(FormatError) {
            payload = try RowIndexPayload(head: input.bytes, payloadByteCount: UInt64(input.count))
        } catch {
            return try checkPlace(error, in: input)
        }
        guard payload.isSound(input.bytes) else { return }
        let ids = numbers(input, at: RowIndexPayload.idsOffset, payload.rowCount, UInt64.self)
        let rows = payload.rowsOffset.map { numbers(input, at: $0, payload.rowCount, UInt32.self) } ?? []
        let squares = payload.squaresOffset.map { numbers(input, at: $0, payload.rowCount, UInt32.self) } ?? []
        let encoded = RowIndexPayload.encoded(
            ids: ids, rows: rows, squares: squares.map(Float.init(bitPattern:)), fileID: payload.fileID,
            describing: payload.describedByteCount, payload.describedHash)
        let again = try RowIndexPayload(head: encoded.bytes, payloadByteCount: UInt64(encoded.count))
        try FuzzFailure.unless(again == payload, "encoded, \(payload) reads as \(again)")
        let isSame = encoded.dropFirst(RowIndexPayload.headByteCount) == input.dropFirst(RowIndexPayload.headByteCount)
        try FuzzFailure.unless(isSame, "the body of \(payload) is encoded as other bytes")
        try FuzzFailure.unless(again.isSound(encoded.bytes), "encoded, \(payload) is not sound")
    }

    private static func numbers<Number: FixedWidthInteger>(
        _ input: [UInt8], at offset: Int, _ count: Int, _: Number.Type
    ) -> [Number] {
        let width = Number.bitWidth / 8
        return (0..<count).map { position in
            let bytes = input[(offset + width * position)...].prefix(width)
            return bytes.reversed().reduce(0) { $0 << 8 | Number($1) }
        }
    }
}
