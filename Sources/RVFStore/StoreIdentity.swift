/// Which store a file is, and which one it was derived from: 68 bytes of a manifest.
public struct StoreIdentity: Hashable, Sendable {
    /// 16 random bytes, chosen when the store was created; they stay through appends and compactions.
    public var fileID: [UInt8]
    /// The file id of the store that this one was derived from; zeros for none.
    public var parentID: [UInt8]
    /// 32 bytes over the last 64 KiB of the parent as it was then; zeros for none.
    public var parentHash: [UInt8]
    /// How many ancestors there are.
    public var lineageDepth: UInt32

    static let fileIDByteCount = 16
    static let parentHashByteCount = 32

    /// The identity of a store without a parent.
    init(fileID: [UInt8]) {
        self.init(
            fileID: fileID, parentID: [UInt8](repeating: 0, count: Self.fileIDByteCount),
            parentHash: [UInt8](repeating: 0, count: Self.parentHashByteCount), lineageDepth: 0)
    }

    init(fileID: [UInt8], parentID: [UInt8], parentHash: [UInt8], lineageDepth: UInt32) {
        self.fileID = fileID
        self.parentID = parentID
        self.parentHash = parentHash
        self.lineageDepth = lineageDepth
    }
}
