/// What is wrong with a filter's text.
public struct FilterError: Error, Hashable, Sendable {
    /// Where, in characters (Unicode scalars) from 1.
    public var column: Int
    /// What is wrong there, for people.
    public var what: String

    static func column(of offset: Int, in bytes: [UInt8]) -> Int {
        // Bytes 10xxxxxx continue a character.
        1 + bytes.prefix(offset).count { $0 & 0xC0 != 0x80 }
    }
}

extension FilterError: CustomStringConvertible {
    public var description: String { "The filter cannot be read, column \(column): \(what)." }
}
