/// A vector and its id.
public struct Row: Equatable, Sendable {
    public var id: UInt64
    /// As many components as the store's dimension, all of them finite.
    public var vector: [Float]

    public init(id: UInt64, vector: [Float]) {
        self.id = id
        self.vector = vector
    }
}
