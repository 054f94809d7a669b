/// The 16 bytes of a segment header that speak for its payload: the payload's CRC-32 c, as the four little-endian
/// words c, rotl(c, 8), rotl(c, 16), rotl(c, 24). Sixteen zeros mean that no hash was set.
package struct ContentHash: Hashable, Sendable {
    /// What a hash says of a payload.
    package enum Verdict: Sendable {
        /// The header carries no hash.
        case unset
        case matches
        case differs
        /// The hash is not four rotations of one word: another writer computed it in a way that is not known here.
        case unverifiable
    }

    package var words: SIMD4<UInt32>

    package init(words: SIMD4<UInt32>) {
        self.words = words
    }

    /// The hash of a payload with this CRC-32. A checksum of zero gives a hash that reads as unset.
    package init(checksum: UInt32) {
        words = SIMD4(
            checksum, Self.rotate(checksum, by: 8), Self.rotate(checksum, by: 16), Self.rotate(checksum, by: 24))
    }

    package static let unset = ContentHash(words: .zero)

    package var isSet: Bool { self != .unset }

    /// The CRC-32 that the payload must have; nil where no hash is set or it is not a rotated CRC-32.
    package var expectedChecksum: UInt32? {
        isSet && self == ContentHash(checksum: words[0]) ? words[0] : nil
    }

    /// Judges a payload by its CRC-32.
    package func verdict(onChecksum checksum: UInt32) -> Verdict {
        guard isSet else { return .unset }
        guard let expected = expectedChecksum else { return .unverifiable }
        return expected == checksum ? .matches : .differs
    }

    private static func rotate(_ word: UInt32, by bits: UInt32) -> UInt32 {
        word << bits | word >> (32 - bits)
    }
}
