/// Who holds the writer lock of a file: the 104-byte record that stands in `<file>.lock`, little-endian.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0x00 | 4 | magic, 0x52564C46 |
/// | 0x04 | 4 | process id |
/// | 0x08 | 64 | host name, at most 62 bytes, then zeros; byte 0x47 is the guard byte |
/// | 0x48 | 8 | timestamp, nanoseconds since 1970 |
/// | 0x50 | 16 | writer id |
/// | 0x60 | 4 | version, 1 |
/// | 0x64 | 4 | CRC-32 (IEEE) of bytes 0x00–0x63 |
///
/// The layout is the one that the RVF format's implementations share (they write CRC-32, though the published
/// text says CRC-32C). The guard byte is this package's extension: since a name takes at most 62 bytes, a peer's
/// record always has zero there, and a peer stops reading at the name's end.
public struct LockRecord: Equatable, Sendable {
    /// The one table of the record's bytes.
    package enum Layout {
        package struct Field: Sendable {
            package let offset: Int
            package let byteCount: Int
            package var end: Int { offset + byteCount }
        }
        package static let magic = Field(offset: 0x00, byteCount: 4)
        package static let processID = Field(offset: 0x04, byteCount: 4)
        package static let hostName = Field(offset: 0x08, byteCount: 64)
        package static let guardByte = Field(offset: 0x47, byteCount: 1)
        package static let timestamp = Field(offset: 0x48, byteCount: 8)
        package static let writerID = Field(offset: 0x50, byteCount: 16)
        package static let version = Field(offset: 0x60, byteCount: 4)
        package static let checksum = Field(offset: 0x64, byteCount: 4)
    }

    public static let byteCount = 104
    /// The guard byte of a guarded record.
    package static let guardedByte: UInt8 = 1
    /// The bytes `46 4C 56 52` of the file.
    public static let magic: UInt32 = 0x5256_4C46
    public static let currentVersion: UInt32 = 1
    /// What fits before the terminating zero and the guard byte.
    public static let longestHostNameBytes = 62

    public var processID: UInt32
    /// The name's bytes, of any encoding. Encoding cuts them to ``longestHostNameBytes``, and at a zero byte.
    public var hostName: [UInt8]
    /// Nanoseconds since 1970 on the writer's wall clock, at the acquisition or the latest renewal.
    public var timestampNanoseconds: UInt64
    public var writerID: WriterID
    public var version: UInt32
    /// Whether the holder keeps an exclusive `flock` on the very file that holds this record, on a file system
    /// where that means something, for as long as it holds the lock.
    public var isGuarded: Bool

    public init(
        processID: UInt32, hostName: [UInt8], timestampNanoseconds: UInt64, writerID: WriterID,
        version: UInt32 = LockRecord.currentVersion, isGuarded: Bool
    ) {
        self.processID = processID
        self.hostName = hostName
        self.timestampNanoseconds = timestampNanoseconds
        self.writerID = writerID
        self.version = version
        self.isGuarded = isGuarded
    }

    /// The 104 bytes of the file.
    public func encoded() -> [UInt8] { recordBytes().array }

    package func recordBytes() -> RecordBytes {
        var bytes = RecordBytes()
        bytes.magic = Self.magic
        bytes.processID = processID
        var field = Array(Self.storedName(of: hostName))
        field += [UInt8](repeating: 0, count: Layout.hostName.byteCount - field.count)
        field[Layout.guardByte.offset - Layout.hostName.offset] = isGuarded ? Self.guardedByte : 0
        bytes.hostNameField = field
        bytes.timestampNanoseconds = timestampNanoseconds
        bytes.writerID = writerID
        bytes.version = version
        bytes.checksum = bytes.computedChecksum
        return bytes
    }

    /// A host's name as a record holds it: up to a zero byte, and at most 62 bytes, cut wherever that falls.
    package static func storedName(of name: [UInt8]) -> ArraySlice<UInt8> {
        name.prefix { $0 != 0 }.prefix(longestHostNameBytes)
    }

    /// The fields as they stand, whatever they hold.
    package init(fieldsOf bytes: RecordBytes) {
        let field = bytes.hostNameField
        let name = Array(field.prefix { $0 != 0 })
        self.init(
            processID: bytes.processID,
            hostName: name,
            timestampNanoseconds: bytes.timestampNanoseconds,
            writerID: bytes.writerID,
            version: bytes.version,
            isGuarded: name.count <= Self.longestHostNameBytes && field[field.count - 1] == Self.guardedByte)
    }
}

/// What a lock file's bytes say, and what is wrong with them.
public struct LockRecordReading: Equatable, Sendable {
    public struct Problems: OptionSet, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The file has not exactly 104 bytes.
        public static let size = Problems(rawValue: 1)
        /// The first four bytes are not a lock record's.
        public static let magic = Problems(rawValue: 2)
        /// The checksum is not that of the bytes.
        public static let checksum = Problems(rawValue: 4)
        /// The version is not 1.
        public static let version = Problems(rawValue: 8)
    }

    /// Who wrote the file, where that can be told: at least 104 bytes with the right magic.
    public var record: LockRecord?
    public var problems: Problems
    /// The file's length.
    public var fileBytes: Int64

    /// Reads the start of a lock file. Never fails: what is wrong stands in ``problems``.
    ///
    /// - Parameters:
    ///   - bytes: The file's first 104 bytes, or all of them where there are fewer.
    ///   - fileBytes: The file's length; that of `bytes` if not given.
    public init(_ bytes: [UInt8], fileBytes: Int64? = nil) {
        self.fileBytes = fileBytes ?? Int64(bytes.count)
        problems = self.fileBytes == Int64(LockRecord.byteCount) ? [] : .size
        guard let raw = RecordBytes(bytes) else {
            record = nil
            problems.insert(.size)
            return
        }
        let isRecord = raw.magic == LockRecord.magic
        record = isRecord ? LockRecord(fieldsOf: raw) : nil
        if !isRecord { problems.insert(.magic) }
        if raw.checksum != raw.computedChecksum { problems.insert(.checksum) }
        if raw.version != LockRecord.currentVersion { problems.insert(.version) }
    }

    public var isEmpty: Bool { fileBytes == 0 }
}

extension LockRecordReading.Problems: CustomStringConvertible {
    public var description: String {
        var words: [String] = []
        if contains(.size) { words.append("its length is not 104 bytes") }
        if contains(.magic) { words.append("it does not begin like a lock record") }
        // What is no lock record has no checksum or version that would be worth a word.
        if contains(.checksum) && !contains(.magic) { words.append("its checksum does not match") }
        if contains(.version) && !contains(.magic) { words.append("its version is not 1") }
        return words.isEmpty ? "nothing is wrong with it" : words.joined(separator: ", ")
    }
}
