#if os(Linux)
    import Foundation

    /// The most memory that this process ever had, in bytes, pages of mapped files counted in.
    func mostMemory() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: { !$0.isNumber }).first).flatMap { Int($0) }.map { $0 * 1024 } ?? 0
    }

    /// Ends the process where some work takes more memory than a bound, 64 MiB.
    func expectLittleMemory(_ note: String, _ body: () throws -> Void) throws {
        let before = mostMemory()
        try body()
        let grown = mostMemory() - before
        guard grown <= 64 << 20 else { fatalError("\(note): \(grown >> 20) MiB of memory") }
    }
#endif
