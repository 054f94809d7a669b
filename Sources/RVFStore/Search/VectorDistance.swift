/// Distances of rows from one query by one metric; less is nearer.
///
/// | metric | distance |
/// |---|---|
/// | squared L2 | Σ (query − row)² |
/// | inner product | −Σ query · row |
/// | cosine | 1 − Σ query · row / (√Σ query² · √Σ row²); 1 where one of the two has no length |
///
/// The sums are those of ``DistanceKernel``, in single precision: distances repeat bit for bit everywhere. The cosine
/// is computed from its three sums in double precision and then rounded. A sum of squares that is too small for a
/// single has no length. Rounding can put the cosine distance of two vectors of one direction slightly below 0.
///
/// A NaN in the query or in a row makes the distance NaN; infinities, and sums too large for a single, make it
/// infinite or NaN. ``NearestRows`` puts NaN last.
package struct VectorDistance: Sendable {
    private enum Kind { case squaredL2, innerProduct, cosine }

    package let kernel: DistanceKernel
    private let kind: Kind
    /// √Σ query²
    private let queryLength: Double

    /// Nil for a metric that is not known.
    package init?(query: [Float], metric: Metric) {
        kernel = DistanceKernel(query: query)
        switch metric {
        case .squaredL2: kind = .squaredL2
        case .innerProduct: kind = .innerProduct
        case .cosine: kind = .cosine
        default: return nil
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * query.count)
        for component in query { bytes.append(littleEndian: component.bitPattern) }
        queryLength = Double(kernel.squares(bytes.bytes)).squareRoot()
    }

    package var dimension: Int { kernel.dimension }

    /// - Parameter row: the row's `dimension` floats, little-endian, not necessarily aligned.
    @inline(__always)
    package func callAsFunction(_ row: RawSpan) -> Float {
        switch kind {
        case .squaredL2: kernel.squaredDifferences(row)
        case .innerProduct: -kernel.products(row)
        case .cosine: cosine(row)
        }
    }

    @inline(__always)
    private func cosine(_ row: RawSpan) -> Float {
        let rowLength = Double(kernel.squares(row)).squareRoot()
        if queryLength == 0 || rowLength == 0 { return 1 }
        return Float(1 - Double(kernel.products(row)) / (queryLength * rowLength))
    }
}
