/// How much memory inputs take.
package enum PeakMemory {
    /// No input under a megabyte may take more.
    package static let limitBytes = 64 << 20
    /// What "under a megabyte" is.
    package static let inputLimitBytes = 1_000_000

    /// The most memory that a process had while it took an input, beyond what it had before; nil where the system does
    /// not tell. Pages of mapped files count. Nothing else may run in the process meanwhile.
    package static func bytes(of target: FuzzTarget, taking input: [UInt8]) throws -> Int? {
        ResidentMemory.giveBack()
        ResidentMemory.forgetPeak()
        guard let before = ResidentMemory.bytes() else { return nil }
        try target.take(input)
        guard let peak = ResidentMemory.peakBytes() else { return nil }
        return max(0, peak - before)
    }
}
