package import RVFHost
public import SystemPackage

/// Checks every byte of a store. It only reads, takes no lock, and works on files that cannot be opened any more.
///
/// ```swift
/// let report = try StoreVerification.run(at: "/data/documents.rvf")
/// for problem in report.problems where problem.severity == .damage { print(problem.offset, problem.what) }
/// ```
///
/// Memory does not grow with the file, but by a bit for each row, and by the metadata.
public enum StoreVerification {
    /// - Throws: what the system says, ``StoreError/notAStore(_:_:)`` for what is no regular file, and
    ///   ``StoreError/cancelled(_:)``. Damage is not thrown but reported.
    public static func run(
        at path: FilePath, options: WorkOptions = WorkOptions()
    ) throws(StoreError) -> VerificationReport {
        try run(host: POSIXHost(), path: path, options: options)
    }

    package static func run<H: Host>(
        host: H, path: FilePath, options: WorkOptions
    ) throws(StoreError) -> VerificationReport {
        let file = try StoreLocation(host: host, path: path).open(.readOnly)
        let size = UInt64(max(0, try file.status().sizeBytes))
        var check = FileCheck(ByteSource(file: file, byteCount: size, mode: .positional), options)
        try check.run()
        return check.report
    }
}
