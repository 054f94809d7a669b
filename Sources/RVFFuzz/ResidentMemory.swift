#if os(Linux)
    import SystemPackage

    /// Of the C library, in a header that its module does not have.
    @_silgen_name("malloc_trim")
    private func trim(_ keptBytes: Int) -> CInt

    /// What the kernel counts of this process.
    enum ResidentMemory {
        static func bytes() -> Int? { kilobytes("VmRSS:").map { $0 << 10 } }

        /// The most since ``forgetPeak()``, or since the process began.
        static func peakBytes() -> Int? { kilobytes("VmHWM:").map { $0 << 10 } }

        /// Where the kernel refuses, a peak of the past counts on, which can only be too much.
        static func forgetPeak() {
            guard let file = try? FileDescriptor.open(FilePath("/proc/self/clear_refs"), .writeOnly) else { return }
            // The number that stands for the peak; see proc(5).
            _ = try? file.closeAfter { try file.writeAll(Array("5".utf8)) }
        }

        /// Memory that is free in the allocator, so that its use again is seen.
        static func giveBack() { _ = trim(0) }

        private static func kilobytes(_ key: String) -> Int? {
            guard let file = try? FileDescriptor.open(FilePath("/proc/self/status"), .readOnly) else { return nil }
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = try? file.closeAfter { try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(into: $0) } }
            let text = String(decoding: bytes.prefix(count ?? 0), as: UTF8.self)
            let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
            return line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
        }
    }
#else
    /// Elsewhere nobody counts.
    enum ResidentMemory {
        static func bytes() -> Int? { nil }
        static func peakBytes() -> Int? { nil }
        static func forgetPeak() {}
        static func giveBack() {}
    }
#endif
