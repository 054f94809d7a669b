/// How the distance of two vectors is measured, as the manifest's metric byte names it. Files of early writers say
/// 0 whatever their metric was.
public struct Metric: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public var rawValue: UInt8

    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The squared Euclidean distance.
    public static let squaredL2 = Metric(rawValue: 0)
    /// The negated dot product, so that less is nearer.
    public static let innerProduct = Metric(rawValue: 1)
    /// 1 − cosine similarity.
    public static let cosine = Metric(rawValue: 2)

    public var description: String {
        switch self {
        case .squaredL2: "l2"
        case .innerProduct: "inner-product"
        case .cosine: "cosine"
        default: "metric \(rawValue)"
        }
    }
}
