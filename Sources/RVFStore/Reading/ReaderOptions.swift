/// How a store is read.
public struct ReaderOptions: Sendable {
    /// When the hashes of vector segments are checked.
    public enum Verification: Sendable {
        /// When their rows are first needed.
        case onFirstUse
        /// When the store is opened, which then takes as long as reading all of it.
        case atOpen
    }

    public var readMode: ReadMode = .mapped
    public var verification: Verification = .onFirstUse

    public init() {}
}
