/// Why bytes are not what they should be, and where. Codecs know neither files nor paths; whoever knows them turns
/// this into a ``StoreError``.
package struct FormatError: Error, Equatable {
    /// Where the offending field begins, in bytes from the start of what was decoded.
    package var offset: Int
    /// What is wrong there, for people.
    package var what: String

    package init(offset: Int, what: String) {
        self.offset = offset
        self.what = what
    }
}
