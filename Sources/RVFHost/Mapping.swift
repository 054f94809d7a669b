/// The bytes of a file as they stand in memory, for reading, until the last reference goes.
///
/// Another process may change or shorten the file meanwhile: a length read from here is to be read once into a
/// local and then checked, and touching a page that the file no longer has ends the process (SIGBUS).
@safe
public final class Mapping: Sendable {
    public let byteCount: Int
    // Immutable for the object's life, and only read through: sharing it between threads is safe.
    private nonisolated(unsafe) let base: UnsafeRawPointer
    private let release: @Sendable (UnsafeRawPointer, Int) -> Void

    /// Takes over memory that stays valid until `release` is called with it.
    public init(
        base: UnsafeRawPointer, byteCount: Int, release: @escaping @Sendable (UnsafeRawPointer, Int) -> Void
    ) {
        unsafe self.base = base
        self.byteCount = byteCount
        unsafe self.release = release
    }

    deinit {
        unsafe release(base, byteCount)
    }

    /// The mapped bytes, valid as long as this object is.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: base, byteCount: byteCount)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Calls the closure with the mapped bytes, for code that needs a pointer (kernels, checksums).
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: base, count: byteCount))
    }
}
