/// What a segment's payload is, from the type byte of its header. Types that are not named here exist and are
/// carried along untouched.
public struct SegmentType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    public static let vectors = SegmentType(rawValue: 0x01)
    public static let index = SegmentType(rawValue: 0x02)
    public static let overlay = SegmentType(rawValue: 0x03)
    public static let journal = SegmentType(rawValue: 0x04)
    public static let manifest = SegmentType(rawValue: 0x05)
    public static let quantisation = SegmentType(rawValue: 0x06)
    public static let metadata = SegmentType(rawValue: 0x07)
    public static let hot = SegmentType(rawValue: 0x08)
    public static let sketch = SegmentType(rawValue: 0x09)
    public static let witness = SegmentType(rawValue: 0x0A)
    public static let profile = SegmentType(rawValue: 0x0B)
    public static let crypto = SegmentType(rawValue: 0x0C)
    public static let metadataIndex = SegmentType(rawValue: 0x0D)
    public static let kernel = SegmentType(rawValue: 0x0E)
    public static let ebpf = SegmentType(rawValue: 0x0F)
    public static let wasm = SegmentType(rawValue: 0x10)
    public static let dashboard = SegmentType(rawValue: 0x11)
    /// This package's own; other writers may use the number for something else.
    package static let checkpoints = SegmentType(rawValue: 0xF0)
    /// This package's own; other writers may use the number for something else.
    package static let metric = SegmentType(rawValue: 0xF2)
    /// Where each id's row stands in the vector segment before it. Of a type that is free for private use: what its
    /// payload says of itself tells whether it is this package's.
    public static let rowIndex = SegmentType(rawValue: 0xF1)

    /// The names of the types 0x01 to 0x11, in that order.
    private static let names = [
        "vectors", "index", "overlay", "journal", "manifest", "quantisation", "metadata", "hot", "sketch", "witness",
        "profile", "crypto", "metadata index", "kernel", "eBPF", "WASM", "dashboard",
    ]

    /// The type's name, or its number where it has none.
    public var description: String {
        switch self {
        case .checkpoints: return "checkpoints"
        case .rowIndex: return "row index"
        case .metric: return "metric"
        default:
            let index = Int(rawValue) - 1
            return Self.names.indices.contains(index) ? Self.names[index] : number
        }
    }

    /// The type's number, as a word.
    var number: String { "type 0x" + String(rawValue, radix: 16) }
}
