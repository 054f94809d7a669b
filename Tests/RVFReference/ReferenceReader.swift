import CZlib

/// Reads a store as its reference runtime does, from what the format's description says of that runtime alone. It
/// shares no code with the library, so that a mistake there cannot hide here. Stricter in one thing: every hash of a
/// segment that it uses must be set and right.
package struct ReferenceStore {
    package struct Entry: Equatable {
        package var id: UInt64
        package var offset: Int
        package var length: Int
        package var type: UInt8
    }

    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    package var manifestOffset = 0
    package var segmentID: UInt64 = 0
    package var epoch: UInt32 = 0
    package var dimension = 0
    package var total: UInt64 = 0
    package var profile: UInt8 = 0
    package var metric: UInt8 = 0
    package var entries: [Entry] = []
    package var deleted: [UInt64] = []
    package var fileID: [UInt8]?
    /// Live rows.
    package var rows: [UInt64: [Float]] = [:]
    /// Distinct ids in the segments.
    package var distinctCount = 0

    package static let reach = 65_536
    package static let longestSegment = 256 << 20

    package init(_ file: [UInt8]) throws(Failure) {
        let lowest = max(0, file.count - Self.reach)
        var offset = file.count - 64
        while offset >= lowest {
            if Self.u32(file, offset) == 0x5256_4653, file[offset + 5] == 5, parse(file, at: offset) { break }
            offset -= 1
        }
        guard offset >= lowest else { throw Failure(description: "no manifest in the last 64 KiB of \(file.count) bytes") }
        try readRows(file)
    }

    private mutating func parse(_ file: [UInt8], at offset: Int) -> Bool {
        guard let length = Int(exactly: Self.u64(file, offset + 16)), length >= 26, length <= file.count - offset - 64
        else { return false }
        let start = offset + 64
        let end = start + length
        let count = Int(Self.u32(file, start + 14))
        guard start + 22 + 25 * count + 4 <= end else { return false }
        var position = start + 22
        var found: [Entry] = []
        for _ in 0..<count {
            guard let place = Int(exactly: Self.u64(file, position + 8)),
                let size = Int(exactly: Self.u64(file, position + 16))
            else { return false }
            found.append(Entry(id: Self.u64(file, position), offset: place, length: size, type: file[position + 24]))
            position += 25
        }
        let deletedCount = Int(Self.u32(file, position))
        position += 4
        guard position + 8 * deletedCount <= end else { return false }
        deleted = (0..<deletedCount).map { Self.u64(file, position + 8 * $0) }
        position += 8 * deletedCount
        fileID = nil
        if position + 72 <= end, Self.u32(file, position) == 0x4649_4449 {
            fileID = Array(file[(position + 4)..<(position + 20)])
        }
        manifestOffset = offset
        segmentID = Self.u64(file, offset + 8)
        epoch = Self.u32(file, start)
        dimension = Int(Self.u16(file, start + 4))
        total = Self.u64(file, start + 6)
        profile = file[start + 18]
        metric = file[start + 19]
        entries = found
        return Self.hashIsRight(file, at: offset, length: length)
    }

    private mutating func readRows(_ file: [UInt8]) throws(Failure) {
        for entry in entries {
            guard entry.offset <= manifestOffset - 64, entry.length <= manifestOffset - 64 - entry.offset,
                Self.u32(file, entry.offset) == 0x5256_4653,
                file[entry.offset + 5] == entry.type, Self.u64(file, entry.offset + 8) == entry.id,
                Self.u64(file, entry.offset + 16) == UInt64(entry.length)
            else { throw Failure(description: "the entry for byte \(entry.offset) does not match the header there") }
            guard Self.hashIsRight(file, at: entry.offset, length: entry.length) else {
                throw Failure(description: "the segment at byte \(entry.offset) does not match its hash")
            }
            guard entry.type == 1 else { continue }
            guard entry.length <= Self.longestSegment else {
                throw Failure(description: "the segment at byte \(entry.offset) is longer than 256 MiB")
            }
            let start = entry.offset + 64
            let width = Int(Self.u16(file, start))
            let count = Int(Self.u32(file, start + 2))
            guard width == dimension, 6 + count * (8 + 4 * width) == entry.length else {
                throw Failure(description: "the rows at byte \(entry.offset) do not fill their segment")
            }
            for row in 0..<count {
                let position = start + 6 + row * (8 + 4 * width)
                rows[Self.u64(file, position)] = (0..<width).map {
                    Float(bitPattern: Self.u32(file, position + 8 + 4 * $0))
                }
            }
        }
        distinctCount = rows.count
        for id in deleted { rows[id] = nil }
    }

    package static func hashIsRight(_ file: [UInt8], at offset: Int, length: Int) -> Bool {
        let checksum = zlibChecksum(file[(offset + 64)..<(offset + 64 + length)])
        return (0..<4).allSatisfy { word in
            let bits = UInt32(8 * word)
            let rotated = bits == 0 ? checksum : checksum << bits | checksum >> (32 - bits)
            return u32(file, offset + 0x28 + 4 * word) == rotated
        } && checksum != 0
    }

    package static func u16(_ file: [UInt8], _ offset: Int) -> UInt16 { UInt16(file[offset]) | UInt16(file[offset + 1]) << 8 }
    package static func u32(_ file: [UInt8], _ offset: Int) -> UInt32 {
        UInt32(u16(file, offset)) | UInt32(u16(file, offset + 2)) << 16
    }
    package static func u64(_ file: [UInt8], _ offset: Int) -> UInt64 {
        UInt64(u32(file, offset)) | UInt64(u32(file, offset + 4)) << 32
    }
}

/// zlib's CRC-32, called directly.
package func zlibChecksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let array = Array(bytes)
    return unsafe array.withUnsafeBufferPointer { buffer in
        unsafe UInt32(truncatingIfNeeded: crc32(0, buffer.baseAddress, uInt(buffer.count)))
    }
}
