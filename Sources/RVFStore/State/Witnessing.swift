import RVFHost

extension StoreWriterCore {
    /// A longer witness is nobody's who writes them with commits, and begins a new chain.
    private static var witnessByteLimit: UInt64 { 1 << 16 }

    /// The witness of the next commit, chained to the one before.
    func witness(_ action: String) throws(StoreError) -> [UInt8] {
        WitnessPayload(
            kind: WitnessPayload.computation,
            timestampNanoseconds: UInt64(max(0, file.host.wallClockNanoseconds())), action: action,
            previousHash: try lastWitness().hash
        ).encoded
    }

    /// The witness that the manifest names, and the hash that the next one carries: zeros where another writer has
    /// written since, as it begins its own chain anew too.
    func lastWitness() throws(StoreError) -> (entry: DirectoryEntry?, hash: WitnessHash) {
        let payload = snapshot.manifest.payload
        guard payload.mark != nil, let entry = payload.directory.last(where: { $0.type == .witness }) else {
            return (nil, .none)
        }
        // By calls: a map for one look costs more.
        let source = ByteSource(file: file, byteCount: snapshot.source.byteCount, mode: .positional)
        guard entry.payloadByteCount <= Self.witnessByteLimit, try !source.isDamaged(entry) else { return (entry, .none) }
        return try source.withBytes(at: entry.payloadOffset, count: Int(entry.payloadByteCount)) {
            (bytes) throws(StoreError) in (entry, WitnessHash(hashing: bytes))
        }
    }
}
