import RVFHost

extension FileCheck {
    /// Whether the metadata can be read, and what of it counts. That segments have the hash that their headers give is
    /// found out where all segments are gone through.
    mutating func checkMetadata(_ manifest: FoundManifest) throws(StoreError) {
        let entries = manifest.payload.directory.filter { $0.type == .metadata }
        guard !entries.isEmpty else { return }
        var damages: [(offset: UInt64, what: String)] = []
        let metadata = try LoadedMetadata(entries, damaged: manifest.damaged, in: source) { error in
            if case .damaged(_, let offset, let what) = error { damages.append((offset, what)) }
        }
        // Those with a place inside a payload are of whole segments, and not told about elsewhere.
        let starts = Set(entries.map(\.offset))
        for damage in damages where !starts.contains(damage.offset) { add(.damage, at: damage.offset, damage.what) }
        let counting = Set(metadata.path)
        for (position, entry) in metadata.segments.enumerated() {
            if !metadata.chain.fits(position) {
                add(
                    .warning, at: entry.offset,
                    "the changes to metadata here do not follow any metadata that is named, and do not count")
            } else if damages.isEmpty, !counting.contains(position) {
                add(.note, at: entry.offset, "metadata that later metadata took the place of")
            }
        }
    }
}
