/// The payload of a checkpoint segment: how far each source of events has been taken in, by one commit and by the last
/// durable one before it, and what tells whether that commit counts.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | 8 bytes | magic `RVFCKPT\0` |
/// | 8 | u16 | version 1 |
/// | 10 | u16 | flags; bit 0: what the commit left can be told from what was there before |
/// | 12 | 16 bytes | file id of the store |
/// | 28 | u64 | generation: higher than that of every checkpoint segment named before |
/// | 36 | u32 | vector segments n that the commit left |
/// | 40 | 32 bytes | SHA-256 over n times payload length (u64) and content hash (16 bytes), in directory order |
/// | 72 | u32 | ids m that the commit left on the deleted list, and that the durable commit did not have there |
/// | 76 | m × u64 | these ids, rising |
/// | … | list | the checkpoints that the commit left |
/// | … | list | the checkpoints of the last durable commit before it, none of them further |
///
/// A list: u32 count, then for each source, by rising name: u8 length of its name, 1 to 255, u16 length of its offset, up
/// to 4,096, u64 events, the name in UTF-8, the offset. Nothing follows the second list.
package struct CheckpointPayload: Equatable, Sendable {
    package var fileID: [UInt8]
    package var generation: UInt64
    /// Whether rows or deleted ids tell the commit from the one before, or there is nothing that they would have to tell.
    package var isProvable: Bool
    package var binding: CheckpointBinding
    package var current: CheckpointList
    package var prior: CheckpointList

    static let magic: UInt64 = 0x0054_504B_4346_5652
    static let currentVersion: UInt16 = 1
    private static let flagProvable: UInt16 = 1
    /// The fields up to the generation, by which a segment is recognised.
    static let headByteCount = 36
    private static let fixedByteCount = 76
    static let smallestByteCount = fixedByteCount + 8
    /// Two full lists, and as many deleted ids as a manifest holds.
    package static let byteLimit = smallestByteCount + 2 * CheckpointList.byteLimit + CommitLimits.manifestByteCount

    package init(
        fileID: [UInt8], generation: UInt64, isProvable: Bool, binding: CheckpointBinding, current: CheckpointList,
        prior: CheckpointList
    ) {
        self.fileID = fileID
        self.generation = generation
        self.isProvable = isProvable
        self.binding = binding
        self.current = current
        self.prior = prior
    }

    package init(_ payload: RawSpan) throws(FormatError) {
        var reader = FieldReader(payload)
        guard try reader.next(UInt64.self, "the magic") == Self.magic else {
            throw FormatError(offset: 0, what: "these are no checkpoints: the magic is another")
        }
        let version = try reader.next(UInt16.self, "the version")
        guard version == Self.currentVersion else {
            throw FormatError(offset: 8, what: "checkpoints of version \(version), which is not known")
        }
        isProvable = try reader.next(UInt16.self, "the flags") & Self.flagProvable != 0
        fileID = try reader.bytes(StoreIdentity.fileIDByteCount, "the file id")
        generation = try reader.next(UInt64.self, "the generation")
        binding = try CheckpointBinding(&reader)
        current = try CheckpointList(&reader)
        prior = try CheckpointList(&reader)
        guard reader.remainingBytes == 0 else {
            throw FormatError(offset: reader.offset, what: "\(reader.remainingBytes) bytes follow the checkpoints")
        }
    }

    /// Whether a payload's beginning says that it holds checkpoints as this package writes them.
    ///
    /// - Returns: the file id and the generation that it gives.
    static func recognise(_ head: RawSpan) -> (fileID: [UInt8], generation: UInt64)? {
        guard head.byteCount >= headByteCount, head.integer(UInt64.self, at: 0) == magic,
            head.integer(UInt16.self, at: 8) == currentVersion
        else { return nil }
        return (head.copy(12..<28), head.integer(UInt64.self, at: 28))
    }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(encodedByteCount)
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.currentVersion)
        bytes.append(littleEndian: isProvable ? Self.flagProvable : UInt16(0))
        bytes.append(contentsOf: fileID)
        bytes.append(littleEndian: generation)
        binding.encode(into: &bytes)
        current.encode(into: &bytes)
        prior.encode(into: &bytes)
        return bytes
    }

    package var encodedByteCount: Int {
        Self.fixedByteCount + 8 * binding.deletedIDs.count + current.encodedByteCount + prior.encodedByteCount
    }
}

extension CheckpointBinding {
    init(_ reader: inout FieldReader) throws(FormatError) {
        segmentCount = Int(try reader.next(UInt32.self, "the number of vector segments"))
        digest = try reader.bytes(Self.digestByteCount, "the hash over the vector segments")
        let count = try reader.next(UInt32.self, "the number of deleted ids")
        try reader.requireItems(count, ofBytes: 8, "deleted ids")
        deletedIDs = []
        deletedIDs.reserveCapacity(Int(count))
        for _ in 0..<count {
            let place = reader.offset
            let id = try reader.next(UInt64.self, "a deleted id")
            if let last = deletedIDs.last, last >= id {
                throw FormatError(offset: place, what: "the deleted ids do not rise: \(id) follows \(last)")
            }
            deletedIDs.append(id)
        }
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: segmentCount))
        bytes.append(contentsOf: digest)
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: deletedIDs.count))
        for id in deletedIDs { bytes.append(littleEndian: id) }
    }
}

extension CheckpointList {
    /// What a checkpoint takes besides its name and its offset.
    private static let itemByteCount = 11

    init(_ reader: inout FieldReader) throws(FormatError) {
        let count = try reader.next(UInt32.self, "the number of sources")
        try reader.requireItems(count, ofBytes: Self.itemByteCount, "checkpoints")
        var all: [Checkpoint] = []
        for _ in 0..<count {
            let place = reader.offset
            let nameByteCount = Int(try reader.next(UInt8.self, "the length of a source's name"))
            let offsetByteCount = Int(try reader.next(UInt16.self, "the length of an offset"))
            guard nameByteCount > 0, offsetByteCount <= Self.offsetByteLimit else {
                throw FormatError(
                    offset: place, what: "a name of \(nameByteCount) bytes and an offset of \(offsetByteCount)")
            }
            let events = try reader.next(UInt64.self, "the number of events")
            let name = try reader.bytes(nameByteCount, "a source's name")
            guard let source = name.bytes.text else {
                throw FormatError(offset: place + Self.itemByteCount, what: "a source's name is no UTF-8")
            }
            if let last = all.last, !(ExactText(last.source) < ExactText(source)) {
                throw FormatError(offset: place, what: "the names of the sources do not rise")
            }
            all.append(
                Checkpoint(source: source, count: events, offset: try reader.bytes(offsetByteCount, "an offset")))
        }
        self.init(rising: all)
    }

    func encode(into bytes: inout [UInt8]) {
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: all.count))
        for checkpoint in all {
            bytes.append(UInt8(truncatingIfNeeded: checkpoint.source.utf8.count))
            bytes.append(littleEndian: UInt16(truncatingIfNeeded: checkpoint.offset.count))
            bytes.append(littleEndian: checkpoint.count)
            bytes.append(contentsOf: checkpoint.source.utf8)
            bytes.append(contentsOf: checkpoint.offset)
        }
    }

    package var encodedByteCount: Int {
        all.reduce(4) { $0 + Self.itemByteCount + $1.source.utf8.count + $1.offset.count }
    }
}
