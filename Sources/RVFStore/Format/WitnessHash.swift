/// The 32-byte hash that chains witnesses, and a child store to its parent. It is not cryptographic: it finds
/// accidents, and anybody can forge it.
///
/// From 32 zero bytes o, for each byte b at position i, all mod 256:
/// o[i mod 32] += b, then o[(i + 13) mod 32] += rotl8(o[i mod 32], 3).
package struct WitnessHash: Hashable, Sendable {
    package static let byteCount = 32
    /// How much of a parent's end is hashed into its children's identities.
    package static let parentTailByteCount = 65_536

    package private(set) var bytes: [UInt8]

    /// What stands in front of a chain's first witness.
    package static let none = WitnessHash(bytes: [UInt8](repeating: 0, count: byteCount))

    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    package init(hashing payload: RawSpan) {
        bytes = [UInt8](repeating: 0, count: Self.byteCount)
        for position in 0..<payload.byteCount {
            let near = position % Self.byteCount
            let far = (position + 13) % Self.byteCount
            bytes[near] &+= payload.integer(UInt8.self, at: position)
            bytes[far] &+= bytes[near] << 3 | bytes[near] >> 5
        }
    }
}
