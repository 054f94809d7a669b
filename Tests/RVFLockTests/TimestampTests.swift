import Testing

@testable import RVFLock

@Suite struct TimestampTests {
    private static let longestLag: UInt64 = 2 << 32

    private func randomRecord(_ random: inout Seeded) -> RecordBytes {
        var record = LockRecord(
            processID: UInt32(truncatingIfNeeded: random.next()), hostName: random.bytes(Int(random.next() % 70)),
            timestampNanoseconds: random.next(), writerID: WriterID(bytes: random.bytes(16))!,
            isGuarded: random.next() % 2 == 0
        ).recordBytes()
        // Whatever stands in the file, a wrong checksum included, stays as right or wrong as it was.
        if random.next() % 8 == 0 { record.checksum = UInt32(truncatingIfNeeded: random.next()) }
        return record
    }

    private func check(_ record: RecordBytes, now: UInt64, _ context: Comment) -> Bool {
        let time = RecordTimestamp.keepingChecksum(of: record, nowNanoseconds: now)
        var renewed = record
        renewed.timestampNanoseconds = time
        let holds = renewed.computedChecksum == record.computedChecksum && time <= now && now - time <= Self.longestLag
        if !holds { Issue.record("now \(now), time \(time), \(context)") }
        return holds
    }

    @Test("A renewed record keeps its checksum, and its time is never in the future nor 8.6 s behind")
    func randomRecords() {
        for seed in UInt64(0)..<80_000 {
            var random = Seeded(seed)
            let record = randomRecord(&random)
            let now = max(random.next() >> (random.next() % 31), 1 << 33)
            guard check(record, now: now, "seed \(seed)") else { return }
        }
    }

    @Test("Around every multiple of 2³² ns it is the newest such time")
    func aroundBoundaries() {
        for seed in UInt64(0)..<500 {
            var random = Seeded(seed)
            let record = randomRecord(&random)
            let boundary = (1 + random.next() >> 36) << 32
            for now in [boundary - 1, boundary, boundary + 1] where now > 1 << 33 {
                guard check(record, now: now, "seed \(seed)") else { return }
            }
            // The very time that keeps the checksum is taken when the clock shows it, and not one before.
            let time = RecordTimestamp.keepingChecksum(of: record, nowNanoseconds: boundary + UInt64(UInt32.max))
            #expect(RecordTimestamp.keepingChecksum(of: record, nowNanoseconds: time) == time, "seed \(seed)")
            #expect(RecordTimestamp.keepingChecksum(of: record, nowNanoseconds: time - 1) < time, "seed \(seed)")
            let inside = RecordTimestamp.keepingChecksum(of: record, nowNanoseconds: boundary + UInt64(UInt32.max))
            #expect(inside >> 32 == boundary >> 32, "each high half has its own solution, seed \(seed)")
        }
    }

    @Test("After a backward step the time follows the clock")
    func backwardClock() {
        var random = Seeded(1)
        var record = randomRecord(&random)
        record.checksum = record.computedChecksum
        for now: UInt64 in [1_800_000_000_000_000_000, 1_700_000_000_000_000_000, 1 << 40, 1 << 33] {
            record.timestampNanoseconds = RecordTimestamp.keepingChecksum(of: record, nowNanoseconds: now)
            #expect(record.timestampNanoseconds <= now)
            #expect(record.checksum == record.computedChecksum)
        }
    }

    @Test("A clock at 1970 gives a time that keeps the checksum, or leaves the one that stands there")
    func epoch() {
        for seed in UInt64(0)..<200 {
            var random = Seeded(seed)
            var record = randomRecord(&random)
            record.checksum = record.computedChecksum
            for now: UInt64 in [0, 1, 1 << 31, (1 << 32) - 1] {
                let before = record.timestampNanoseconds
                record.timestampNanoseconds = RecordTimestamp.keepingChecksum(of: record, nowNanoseconds: now)
                #expect(record.timestampNanoseconds <= now || record.timestampNanoseconds == before)
                #expect(record.checksum == record.computedChecksum, "seed \(seed)")
            }
        }
    }

    @Test("Renewing a thousand times in a row never breaks the record")
    func manyRenewals() {
        var random = Seeded(7)
        var record = randomRecord(&random)
        record.checksum = record.computedChecksum
        var now: UInt64 = 1_790_000_000_000_000_000
        for _ in 0..<1000 {
            now += random.next() % 20_000_000_000
            let before = record
            record.timestampNanoseconds = RecordTimestamp.keepingChecksum(of: record, nowNanoseconds: now)
            var same = record
            same.timestampNanoseconds = before.timestampNanoseconds
            #expect(same == before)
            #expect(record.checksum == record.computedChecksum)
        }
    }
}
