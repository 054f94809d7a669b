/// What became of the rows of a store between two of its states. An id is in one of the lists at most, and each list
/// rises.
public struct SnapshotChanges: Equatable, Sendable {
    /// Ids that can be found now and could not before.
    public var added: [UInt64]
    /// Ids that can be found in both states, with other components. They are compared byte by byte: 0 and -0 differ.
    public var replaced: [UInt64]
    /// Ids that could be found before and cannot now.
    public var removed: [UInt64]

    public init(added: [UInt64] = [], replaced: [UInt64] = [], removed: [UInt64] = []) {
        self.added = added
        self.replaced = replaced
        self.removed = removed
    }

    /// Whether both states have the same rows.
    public var isEmpty: Bool { added.isEmpty && replaced.isEmpty && removed.isEmpty }
}
