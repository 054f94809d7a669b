/// The payload of a vector segment: rows of one dimension, read where they stand.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | u16 | dimension d |
/// | 2 | u32 | row count n |
/// | 6 + i·(8 + 4·d) | u64 | id of row i |
/// | 14 + i·(8 + 4·d) | d × f32 | components of row i; not 4-byte aligned |
package struct VectorPayload: Equatable, Sendable {
    package static let headerByteCount = 6
    package static let idByteCount = 8

    package var dimension: Int
    package var rowCount: Int

    package init(dimension: Int, rowCount: Int) {
        self.dimension = dimension
        self.rowCount = rowCount
    }

    /// From one row's id to the next one's.
    package var strideBytes: Int { Self.strideBytes(dimension: dimension) }
    package var byteCount: Int { Self.headerByteCount + rowCount * strideBytes }

    package static func strideBytes(dimension: Int) -> Int {
        idByteCount + 4 * dimension
    }

    /// Reads the six bytes in front and checks that the rows they announce fit into the payload.
    ///
    /// - Parameters:
    ///   - head: at least the payload's first six bytes, where it has that many.
    ///   - payloadByteCount: the whole payload's length.
    package init(head: RawSpan, payloadByteCount: Int) throws(FormatError) {
        var reader = FieldReader(head)
        dimension = Int(try reader.next(UInt16.self, "the dimension"))
        let count = try reader.next(UInt32.self, "the row count")
        rowCount = Int(count)
        if dimension == 0 { throw FormatError(offset: 0, what: "the dimension is 0") }
        let (needed, overflow) = rowCount.multipliedReportingOverflow(by: strideBytes)
        if overflow || needed > payloadByteCount - Self.headerByteCount {
            throw FormatError(
                offset: 2,
                what: "\(count) rows of dimension \(dimension) do not fit into a payload of \(payloadByteCount) bytes")
        }
    }

    /// Where a row begins within the payload.
    @inline(__always)
    package func offset(ofRow row: Int) -> Int {
        Self.headerByteCount + row * strideBytes
    }

    package var encodedHead: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: UInt16(truncatingIfNeeded: dimension))
        bytes.append(littleEndian: UInt32(truncatingIfNeeded: rowCount))
        return bytes
    }
}
