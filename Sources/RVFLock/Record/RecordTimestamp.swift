/// Timestamps that leave a record's checksum as it is, so that renewing it is one aligned 8-byte write, which no
/// reader ever sees half of.
///
/// CRC-32 maps the four bytes of a timestamp's low half one to one onto checksums, all else being fixed. So for
/// each high half there is exactly one low half that keeps the checksum: run the CRC forwards up to the
/// timestamp, backwards from the checksum down to its low half's end, and the difference is that low half.
/// The high half is the clock's, or one less where that would lie in the future; so the result is at most
/// 2 · 2³² ns (8.59 s) behind the clock.
package enum RecordTimestamp {
    /// The newest timestamp, not after `now`, under which the CRC of the record's bytes stays what it is; the one
    /// that stands there if there is none.
    package static func keepingChecksum(of record: RecordBytes, nowNanoseconds now: UInt64) -> UInt64 {
        reaching(checksum: record.computedChecksum, in: record, nowNanoseconds: now)
    }

    /// The same for bytes that have changed elsewhere too, whose CRC is to be what it was before.
    package static func reaching(
        checksum: UInt32, in record: RecordBytes, nowNanoseconds now: UInt64
    ) -> UInt64 {
        let solver = Solver(record, leadingTo: checksum)
        let high = now >> 32
        let candidate = high << 32 | UInt64(solver.lowHalf(under: UInt32(truncatingIfNeeded: high)))
        if candidate <= now { return candidate }
        // In the first 4.29 s of 1970 there is no earlier high half; such a clock is wrong anyway.
        if high == 0 { return record.timestampNanoseconds }
        let earlier = high - 1
        return earlier << 32 | UInt64(solver.lowHalf(under: UInt32(truncatingIfNeeded: earlier)))
    }

    private struct Solver {
        /// The CRC's register before the timestamp, and the one after it that leads to the wanted CRC: for a
        /// renewal the bytes' own, not what the checksum field says, since a wrong one is not made right by it.
        let before: UInt32
        let after: UInt32

        init(_ record: RecordBytes, leadingTo checksum: UInt32) {
            let timestamp = LockRecord.Layout.timestamp
            before = ~record.crc32(ofFirst: timestamp.offset)
            var state = ~checksum
            unsafe record.withUnsafeBytes { bytes in
                for index in (timestamp.end..<LockRecord.Layout.checksum.offset).reversed() {
                    state = backward(state, over: unsafe bytes[index])
                }
            }
            after = state
        }

        func lowHalf(under high: UInt32) -> UInt32 {
            var state = after
            for shift in stride(from: 24, through: 0, by: -8) {
                state = backward(state, over: UInt8(truncatingIfNeeded: high >> UInt32(shift)))
            }
            // Four bytes XORed into the register, then four zero bytes: the same as the four bytes themselves.
            for _ in 0..<4 { state = backward(state, over: 0) }
            return state ^ before
        }
    }

    /// The CRC's register before a byte, from the register after it.
    private static func backward(_ state: UInt32, over byte: UInt8) -> UInt32 {
        let index = indexByTopByte[Int(state >> 24)]
        return (state ^ table[Int(index)]) << 8 | UInt32(index ^ byte)
    }

    /// The byte-wise table of the reflected polynomial 0xEDB88320.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    /// No two entries of the table share their top byte, which is what makes the CRC run backwards.
    private static let indexByTopByte: [UInt8] = {
        var indices = [UInt8](repeating: 0, count: 256)
        for (index, value) in table.enumerated() { indices[Int(value >> 24)] = UInt8(index) }
        return indices
    }()
}
