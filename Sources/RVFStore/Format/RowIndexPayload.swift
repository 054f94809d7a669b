/// The payload of a row index: where the row of each id stands in the vector segment right before it.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u64 | magic 0x5844_4957_4F52_5652 (bytes `RVROWIDX`) |
/// | 8 | u16 | version 1 |
/// | 10 | u16 | flags; bit 0: the rows stand in the order of their ids; bit 1: sums of squares follow |
/// | 12 | u32 | rows n, each with an id of its own |
/// | 16 | 16 bytes | file id of the store |
/// | 32 | u64 | payload length of the vector segment |
/// | 40 | 4 × u32 | its content hash, see ``ContentHash`` |
/// | 56 | u64 | the lowest id |
/// | 64 | u64 | the highest id |
/// | 72 | u32 | 0 |
/// | 76 | u32 | CRC-32 of the 76 bytes before |
/// | 80 | n × u64 | the ids, rising |
/// | 80 + 8n | n × u32 | the row of each id, from 0; not there with bit 0 |
/// | … | n × f32 | only with bit 1: Σ component² of each row, in the order of the rows, as ``DistanceKernel`` adds them up |
///
/// The head has a checksum of its own, so that its lowest and highest id can be gone by without reading the rest.
/// The sums are kept, not their roots: a length that is computed from one has the very bits that it has without.
package struct RowIndexPayload: Equatable, Sendable {
    package static let magic: UInt64 = 0x5844_4957_4F52_5652
    static let currentVersion: UInt16 = 1
    package static let headByteCount = 80
    private static let checksumOffset = 76
    private static let flagInOrder: UInt16 = 1
    private static let flagSquares: UInt16 = 2

    package var isInOrder: Bool
    package var hasSquares: Bool
    package var rowCount: Int
    package var fileID: [UInt8]
    /// Of the vector segment.
    package var describedByteCount: UInt64
    /// Of the vector segment.
    package var describedHash: ContentHash
    package var firstID: UInt64
    package var lastID: UInt64

    // MARK: Where things are

    package static let idsOffset = headByteCount
    /// Where the row numbers are; nil where each is its id's position.
    package var rowsOffset: Int? { isInOrder ? nil : Self.idsOffset + 8 * rowCount }
    /// Where the sums of squares are.
    package var squaresOffset: Int? { hasSquares ? Self.idsOffset + (isInOrder ? 8 : 12) * rowCount : nil }
    package var byteCount: Int { Self.idsOffset + Self.bytesPerRow(isInOrder, hasSquares) * rowCount }

    private static func bytesPerRow(_ isInOrder: Bool, _ hasSquares: Bool) -> Int {
        8 + (isInOrder ? 0 : 4) + (hasSquares ? 4 : 0)
    }

    /// No index of so many rows is longer.
    package static func byteCountLimit(rowCount: Int) -> Int { headByteCount + bytesPerRow(false, true) * rowCount }

    // MARK: The head

    /// Whether a payload that begins like this is a row index of this package, of any version, whole or not.
    package static func isOwn(_ head: RawSpan) -> Bool {
        head.byteCount >= 8 && head.integer(UInt64.self, at: 0) == magic
    }

    /// Reads the head, and checks it by its own checksum and against the payload's length.
    ///
    /// - Parameter head: at least the payload's first 80 bytes, where it has that many.
    package init(head: RawSpan, payloadByteCount: UInt64) throws(FormatError) {
        var reader = FieldReader(head)
        if try reader.next(UInt64.self, "the magic") != Self.magic {
            throw FormatError(offset: 0, what: "the magic is another one")
        }
        let version = try reader.next(UInt16.self, "the version")
        if version != Self.currentVersion { throw FormatError(offset: 8, what: "version \(version) is not known") }
        let flags = try reader.next(UInt16.self, "the flags")
        isInOrder = flags & Self.flagInOrder != 0
        hasSquares = flags & Self.flagSquares != 0
        rowCount = Int(try reader.next(UInt32.self, "the row count"))
        fileID = try reader.bytes(StoreIdentity.fileIDByteCount, "the file id")
        describedByteCount = try reader.next(UInt64.self, "the described length")
        describedHash = ContentHash(words: .zero)
        for word in 0..<4 { describedHash.words[word] = try reader.next(UInt32.self, "the described hash") }
        firstID = try reader.next(UInt64.self, "the lowest id")
        lastID = try reader.next(UInt64.self, "the highest id")
        _ = try reader.next(UInt32.self, "the reserved bytes")
        let checksum = try reader.next(UInt32.self, "the head's checksum")
        guard CRC32.of(head.extracting(0..<Self.checksumOffset)) == checksum else {
            throw FormatError(offset: Self.checksumOffset, what: "the head does not have its checksum")
        }
        guard rowCount > 0, firstID <= lastID, lastID - firstID >= UInt64(rowCount - 1) else {
            throw FormatError(offset: 12, what: "\(rowCount) ids do not lie from \(firstID) to \(lastID)")
        }
        guard UInt64(byteCount) == payloadByteCount else {
            throw FormatError(offset: 12, what: "\(rowCount) rows do not make \(payloadByteCount) bytes")
        }
    }

    /// The index of some rows.
    ///
    /// - Parameters:
    ///   - ids: rising.
    ///   - rows: the row of each; empty where the rows stand in this order.
    ///   - squares: of each row, in the order of the rows; empty where they are not to be kept.
    /// - Returns: the whole payload.
    package static func encoded(
        ids: [UInt64], rows: [UInt32], squares: [Float], fileID: [UInt8], describing byteCount: UInt64,
        _ hash: ContentHash
    ) -> [UInt8] {
        let flags = (rows.isEmpty ? flagInOrder : 0) | (squares.isEmpty ? 0 : flagSquares)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headByteCount + bytesPerRow(rows.isEmpty, !squares.isEmpty) * ids.count)
        bytes.append(littleEndian: magic)
        bytes.append(littleEndian: currentVersion)
        bytes.append(littleEndian: flags)
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: ids.count))
        bytes.append(contentsOf: fileID)
        bytes.append(littleEndian: byteCount)
        for word in 0..<4 { bytes.append(littleEndian: hash.words[word]) }
        bytes.append(littleEndian: ids.first ?? 0)
        bytes.append(littleEndian: ids.last ?? 0)
        bytes.append(littleEndian: UInt32(0))
        bytes.append(littleEndian: CRC32.of(bytes.bytes))
        // The numbers' own bytes: every processor that this package runs on is little-endian.
        unsafe ids.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        unsafe rows.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        unsafe squares.withUnsafeBytes { unsafe bytes.append(contentsOf: $0) }
        return bytes
    }

    // MARK: The body

    /// Whether the body of a payload is what the head promises: ids that rise from the lowest to the highest, and every
    /// row once.
    ///
    /// - Parameter payload: as long as ``byteCount``.
    package func isSound(_ payload: RawSpan) -> Bool {
        guard payload.byteCount == byteCount else { return false }
        var last = payload.integer(UInt64.self, at: Self.idsOffset)
        guard last == firstID else { return false }
        for position in 1..<rowCount {
            let id = payload.integer(UInt64.self, at: Self.idsOffset + 8 * position)
            guard id > last else { return false }
            last = id
        }
        guard last == lastID else { return false }
        guard let rowsOffset else { return true }
        var seen = RowSet(rowCount: rowCount)
        for position in 0..<rowCount {
            let row = Int(payload.integer(UInt32.self, at: rowsOffset + 4 * position))
            guard row < rowCount, !seen.contains(row) else { return false }
            seen.insert(row)
        }
        return true
    }
}
