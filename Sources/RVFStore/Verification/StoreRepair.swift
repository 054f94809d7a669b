package import RVFHost
public import SystemPackage

/// How a damaged store is repaired.
public struct RepairOptions: Sendable {
    public var work = WorkOptions()
    /// The metric of a store whose manifests are all lost; with a manifest it is the manifest's.
    public var metric = Metric.squaredL2
    /// Whether rows are saved, too, that stand whole behind the manifest that counts and that it does not name: those
    /// of commits whose manifest is lost, but also of commits that never succeeded.
    public var includesUnnamedRows = false

    public init() {}
}

/// What a repair saved, and what it could not.
public struct RepairReport: Equatable, Sendable {
    /// What could not be saved, in the order of the file; no more than ``VerificationReport/problemLimit``.
    public internal(set) var losses: [VerificationReport.Problem] = []
    /// All of them, those that are not listed included.
    public internal(set) var lossCount = 0
    /// Rows of the new file.
    public internal(set) var rowCount = 0
    /// Segments of other writers that were carried over byte for byte.
    public internal(set) var carriedSegmentCount = 0
    /// The commit whose manifest was gone by; nil where none could be believed.
    public internal(set) var epoch: UInt32?
}

/// Writes a new store with all that can be saved of a damaged one, which it leaves as it is.
///
/// Saved are the rows of all intact vector segments that the newest believable manifest names, and every intact segment
/// of other writers. Where no manifest can be believed, all intact vector segments of the file are taken, in their
/// order, and journals tell what was deleted. Rows with components that are no finite numbers are left out. Where the
/// newest row of an id is lost, an older one that is intact comes back. Metadata is saved as of the last change up to
/// which all of it can be read, for the ids whose rows are saved.
public enum StoreRepair {
    /// - Throws: ``StoreError/exists(_:_:)`` where something has the new name, ``StoreError/notAStore(_:_:)`` where
    ///   nothing can be saved, ``StoreError/noSpace(_:neededByteCount:availableByteCount:)``,
    ///   ``StoreError/cancelled(_:)``, or what the system says.
    public static func run(
        from path: FilePath, to output: FilePath, options: RepairOptions = RepairOptions()
    ) throws(StoreError) -> RepairReport {
        try run(host: POSIXHost(), from: path, to: output, options: options)
    }

    package static func run<H: Host>(
        host: H, from path: FilePath, to output: FilePath, options: RepairOptions
    ) throws(StoreError) -> RepairReport {
        let file = try StoreLocation(host: host, path: path).open(.readOnly)
        let size = UInt64(max(0, try file.status().sizeBytes))
        let new = try NewFile(host: host, path: output)
        let source = ByteSource(file: file, byteCount: size, mode: .positional)
        let losses = LossList()
        let salvage = try Salvage(source, options, losses)
        let outcome = try salvage.rewrite(options, losses).write(to: new.writing)
        try new.writing.takeMetadata(of: file)
        try new.publish()
        var report = RepairReport()
        report.rowCount = outcome.rowCount
        report.carriedSegmentCount = outcome.carriedCount
        report.epoch = salvage.manifest?.payload.epoch
        (report.losses, report.lossCount) = losses.all
        return report
    }
}
