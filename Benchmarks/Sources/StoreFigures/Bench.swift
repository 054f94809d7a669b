import FigureSupport
import Foundation
import RVFStore
import SystemPackage

struct FigureError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// Where the figures are taken, and how much time they may have.
struct Bench {
    let directory: FilePath
    let isShort: Bool
    let isLong: Bool

    init(isShort: Bool, isLong: Bool) throws {
        let base = ProcessInfo.processInfo.environment["RVF_FIGURES_DIRECTORY"] ?? "."
        directory = FilePath(base).appending("rvf-figures-\(getpid())")
        self.isShort = isShort
        self.isLong = isLong
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: directory.string) }

    func path(_ name: String) -> FilePath { directory.appending(name) }

    /// The value for a quick look, or the one for figures to be kept.
    func choose<Value>(_ short: Value, else whole: Value) -> Value { isShort ? short : whole }

    /// Removes a file, and what others put beside it.
    func remove(_ path: FilePath) {
        for suffix in ["", "-lock", "-wal", "-shm", ".lock"] {
            try? FileManager.default.removeItem(atPath: path.string + suffix)
        }
    }
}

/// A line of the table: what both took, and the floor's time for one of ours.
func line(_ name: String, floor: Double, ours: Double, _ target: String = "") {
    row(name, duration(floor), duration(ours), String(format: "%.2f", floor / ours), target)
}

func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<0.001: microseconds(seconds)
    case ..<1: milliseconds(seconds)
    default: String(format: "%.2f s", seconds)
    }
}

func megabytes(_ byteCount: some BinaryInteger) -> String { String(format: "%.1f MB", Double(byteCount) / 1e6) }

func grouped(_ count: Int) -> String {
    var digits = "\(count)"
    var place = digits.count - 3
    while place > 0 {
        digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
        place -= 3
    }
    return digits
}

func timed(_ body: () throws -> Void) rethrows -> Double {
    let start = now()
    try body()
    return now() - start
}

/// Numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64 = 1

    /// SplitMix64, as published by Sebastiano Vigna.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Components between -1 and 1.
func components(_ count: Int) -> [Float] {
    var generator = SplitMix()
    return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
}
