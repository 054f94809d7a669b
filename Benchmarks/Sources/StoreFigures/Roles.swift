import FigureSupport
import Foundation
import RVFStore
import SystemPackage

/// Numbers that a fresh process of this program has found out in a role.
func roleResult(_ arguments: [String]) throws -> [Double] {
    let child = try Child(["role"] + arguments)
    let line = child.line()
    child.wait()
    guard let numbers = line?.split(separator: " ").compactMap({ Double($0) }), !numbers.isEmpty else {
        throw FigureError("the process for \(arguments[0]) failed")
    }
    return numbers
}

/// The role's side: does the work and says its numbers.
func playRole(_ arguments: [String]) throws {
    let path = FilePath(arguments[1])
    let numbers = arguments.dropFirst(2).compactMap { Int($0) }
    let result: [Double]
    switch arguments[0] {
    case "load", "ingest":
        let seconds =
            arguments[0] == "load"
            ? try load(path, rowCount: numbers[0], dimension: numbers[1], batchRowCount: numbers[2])
            : try ingest(path, rowCount: numbers[0], dimension: numbers[1], batchRowCount: numbers[2])
        result = [seconds, Double(ownMemory("VmHWM"))]
    case "compact":
        var writer = try StoreWriter.open(at: path)
        result = [try timed { try writer.compact() }, Double(ownMemory("VmHWM"))]
        try writer.close()
    case "commit":
        let durability = numbers.last == 1 ? CommitOptions.Durability.singleSync : .ordered
        result = try commitRows(path, durability, commitCount: numbers[0], rowCount: numbers[1], dimension: numbers[2])
    case "open": result = try openStore(path, rowCount: numbers[0], isScattered: numbers[1] == 1)
    default: throw FigureError("no role \(arguments[0])")
    }
    say(result.map { "\($0)" }.joined(separator: " "))
}

/// Bytes of this process's memory, as the kernel counts them.
func ownMemory(_ field: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("\(field):") }
    return (line?.split(whereSeparator: { !$0.isNumber }).first).flatMap { Int($0) }.map { $0 * 1024 } ?? 0
}

/// For a profiler: commits, and nothing beside them. As in
/// `perf record -g StoreFigures role commit new.rvf <commits> <rows> <dimension> <syncs>`.
private func commitRows(
    _ path: FilePath, _ durability: CommitOptions.Durability, commitCount: Int, rowCount: Int, dimension: Int
) throws -> [Double] {
    var writer = try StoreWriter.create(at: path, dimension: dimension)
    let components = components(rowCount * dimension)
    let seconds = try timed {
        for commit in 0..<commitCount {
            let ids = (0..<rowCount).map { UInt64(commit * rowCount + $0) }
            try writer.append(ids: ids, components: components, options: CommitOptions(durability: durability))
        }
    }
    try writer.close()
    return [seconds / Double(commitCount)]
}
