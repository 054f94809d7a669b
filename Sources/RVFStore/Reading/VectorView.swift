/// The components of one row where they stand, lent for the duration of a call. They are little-endian and not
/// aligned for `Float`, so they are loaded one by one or copied.
public struct VectorView: ~Escapable {
    private let components: RawSpan

    @_lifetime(copy components)
    init(components: RawSpan) {
        self.components = components
    }

    /// The number of components: the store's dimension.
    public var count: Int { components.byteCount / 4 }

    /// The component at a position from 0 to `count - 1`; traps outside.
    public subscript(position: Int) -> Float {
        @inline(__always) get { components.float(at: 4 * position) }
    }

    /// The components' bytes: `count` IEEE-754 singles, little-endian.
    public var rawBytes: RawSpan {
        @_lifetime(copy self)
        get { components }
    }

    /// A copy of the components.
    public func array() -> [Float] {
        // Every bit pattern is a float, and every processor that this package runs on is little-endian.
        unsafe [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            unsafe components.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            filled = count
        }
    }
}
