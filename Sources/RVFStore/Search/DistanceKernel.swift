/// Sums over the components of two vectors, always in the same order, so that every implementation of it, on every
/// processor, comes to the same bits:
///
/// - Component i goes to lane i mod 32. A lane starts at +0 and adds one product after another, each rounded on its
///   own: no fused multiply-add.
/// - Lanes without a component in the last round add nothing.
/// - At the end lane l and lane l + 16 are added, then l and l + 8, then 4, 2 and 1.
///
/// The lanes are two vectors of sixteen: wider ones, and `addProduct`, are compiled into calls for each lane.
package struct DistanceKernel: Sendable {
    /// The query, with zeros up to a multiple of 32 components.
    private let query: [SIMD16<Float>]
    package let dimension: Int
    private let fullRounds: Int

    private static let lanes = 32

    package init(query: [Float]) {
        dimension = query.count
        fullRounds = query.count / Self.lanes
        let rounds = (query.count + Self.lanes - 1) / Self.lanes
        self.query = (0..<(2 * rounds)).map { half in
            var vector = SIMD16<Float>.zero
            for lane in 0..<16 where 16 * half + lane < query.count { vector[lane] = query[16 * half + lane] }
            return vector
        }
    }

    /// The bytes of a row: `dimension` little-endian floats, which need not be aligned.
    package var rowByteCount: Int { 4 * dimension }

    /// Σ (query − row)²
    @inline(__always)
    package func squaredDifferences(_ row: RawSpan) -> Float {
        sum(over: row) { query, row in
            let difference = query - row
            return difference * difference
        }
    }

    /// Σ query · row
    @inline(__always)
    package func products(_ row: RawSpan) -> Float {
        sum(over: row) { query, row in query * row }
    }

    /// Σ row · row
    @inline(__always)
    package func squares(_ row: RawSpan) -> Float {
        sum(over: row) { _, row in row * row }
    }

    @inline(__always)
    private func sum(
        over row: RawSpan, _ term: (SIMD16<Float>, SIMD16<Float>) -> SIMD16<Float>
    ) -> Float {
        precondition(row.byteCount == rowByteCount, "a row of another dimension")
        var low = SIMD16<Float>.zero
        var high = SIMD16<Float>.zero
        let query = query.span
        for round in 0..<fullRounds {
            let offset = 4 * Self.lanes * round
            low += term(query[2 * round], row.sixteenFloats(at: offset))
            high += term(query[2 * round + 1], row.sixteenFloats(at: offset + 64))
        }
        if Self.lanes * fullRounds < dimension {
            // Zeros stand in for components that are not there: their terms are +0, which changes no sum.
            let (lowRow, highRow) = lastRound(of: row)
            low += term(query[2 * fullRounds], lowRow)
            high += term(query[2 * fullRounds + 1], highRow)
        }
        return (low + high).sumOfHalves
    }

    private func lastRound(of row: RawSpan) -> (SIMD16<Float>, SIMD16<Float>) {
        var low = SIMD16<Float>.zero
        var high = SIMD16<Float>.zero
        let first = Self.lanes * fullRounds
        for lane in 0..<(dimension - first) {
            let value = row.float(at: 4 * (first + lane))
            if lane < 16 { low[lane] = value } else { high[lane - 16] = value }
        }
        return (low, high)
    }
}

extension RawSpan {
    /// Sixteen floats in memory order, which is little-endian on every platform of this package.
    @inline(__always)
    fileprivate func sixteenFloats(at offset: Int) -> SIMD16<Float> {
        // Every pattern of bits is a float. The caller has compared the row's length with what it reads of it.
        unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: SIMD16<Float>.self)
    }
}

extension SIMD16<Float> {
    fileprivate var sumOfHalves: Float {
        let eight = lowHalf + highHalf
        let four = eight.lowHalf + eight.highHalf
        let two = four.lowHalf + four.highHalf
        return two.x + two.y
    }
}
