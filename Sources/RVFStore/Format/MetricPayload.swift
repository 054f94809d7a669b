/// The payload of a metric segment: the metric said once more, since manifests of other writers may say 0 whatever it is.
///
/// | offset | type | field |
/// |---|---|---|
/// | 0 | 8 bytes | magic `RVFMETR\0` |
/// | 8 | u16 | version 1 |
/// | 10 | u16 | dimension |
/// | 12 | u8 | metric |
/// | 13 | 3 bytes | 0 |
/// | 16 | 16 bytes | file id of the store |
package struct MetricPayload: Equatable, Sendable {
    package static let byteCount = 32
    static let magic: UInt64 = 0x0052_5445_4D46_5652
    static let currentVersion: UInt16 = 1

    package var fileID: [UInt8]
    package var dimension: UInt16
    package var metric: Metric

    package init(fileID: [UInt8], dimension: UInt16, metric: Metric) {
        self.fileID = fileID
        self.dimension = dimension
        self.metric = metric
    }

    /// Nil where the bytes are something else.
    package init?(_ payload: RawSpan) {
        guard payload.byteCount == Self.byteCount, payload.integer(UInt64.self, at: 0) == Self.magic,
            payload.integer(UInt16.self, at: 8) == Self.currentVersion
        else { return nil }
        dimension = payload.integer(UInt16.self, at: 10)
        metric = Metric(rawValue: payload.integer(UInt8.self, at: 12))
        fileID = payload.copy(16..<32)
    }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: Self.magic)
        bytes.append(littleEndian: Self.currentVersion)
        bytes.append(littleEndian: dimension)
        bytes.append(metric.rawValue)
        bytes.append(contentsOf: [0, 0, 0])
        bytes.append(contentsOf: fileID)
        return bytes
    }
}

extension ByteSource {
    /// The metric that a segment of this store gives, where a manifest names one. It never changes, so that it need
    /// not be known whether the commit that wrote it counts.
    func storedMetric(_ manifest: ManifestPayload) throws(StoreError) -> Metric? {
        guard let fileID = manifest.identity?.fileID else { return nil }
        for entry in manifest.directory
        where entry.type == .metric && entry.payloadByteCount == UInt64(MetricPayload.byteCount) {
            guard let header = try header(at: entry.offset), entry.matches(header) else { continue }
            let bytes = try read(at: entry.payloadOffset, count: MetricPayload.byteCount)
            guard header.hash.verdict(onChecksum: CRC32.of(bytes.bytes)) == .matches,
                let payload = MetricPayload(bytes.bytes), payload.fileID == fileID,
                payload.dimension == manifest.dimension
            else { continue }
            return payload.metric
        }
        return nil
    }
}
