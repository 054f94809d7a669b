/// A vector and its id.
public struct Row: Equatable, Sendable {
    public var id: UInt64
    /// As many components as the store's dimension, all of them finite.
    public var vector: [Float]
    /// All fields that the id is to have from now on; nil to leave those that it has.
    public var metadata: [String: MetadataValue]?

    public init(id: UInt64, vector: [Float], metadata: [String: MetadataValue]? = nil) {
        self.id = id
        self.vector = vector
        self.metadata = metadata
    }
}
