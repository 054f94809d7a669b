import Foundation
import RVFFuzz
import SystemPackage

// rvf-fuzz list | rvf-fuzz seeds NAME DIRECTORY | rvf-fuzz peak [NAME…] | rvf-fuzz NAME FILE… (checks the files), and
// where it was built by `scripts/fuzz`: RVF_FUZZ=NAME rvf-fuzz -…, with the arguments that libFuzzer takes.

let words = Array(CommandLine.arguments.dropFirst())
switch words.first {
case "list": for target in FuzzTarget.all { print(target.name) }
case "seeds" where words.count == 3:
    for (number, seed) in try named(words[1]).seeds().enumerated() {
        let path = FilePath(words[2]).appending("seed-\(number)")
        let file = try FileDescriptor.open(path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        _ = try file.closeAfter { try file.writeAll(seed) }
    }
case "peak": try printPeaks(of: words.count == 1 ? FuzzTarget.all : words.dropFirst().map(named))
// libFuzzer starts itself anew with other arguments, and the environment stays.
case let word? where word.hasPrefix("-"): search(named(ProcessInfo.processInfo.environment["RVF_FUZZ"] ?? ""), CommandLine.arguments)
case let name?:
    let target = named(name)
    for path in words.dropFirst() { try target.check(bytes(of: FilePath(path))) }
case nil: fatalError("usage: rvf-fuzz list | seeds NAME DIRECTORY | peak [NAME…] | NAME FILE…")
}

/// What the greediest inputs of each target take, and whether that is within the limit.
func printPeaks(of targets: [FuzzTarget]) throws {
    print("| target | most memory of each greedy input, KiB |\n|---|---|")
    var isWithin = true
    for target in targets {
        let peaks = try target.greedyInputs().map { try PeakMemory.bytes(of: target, taking: $0) ?? 0 }
        print("| \(target.name) | \(peaks.map { "\($0 >> 10)" }.joined(separator: " ")) |")
        isWithin = isWithin && peaks.allSatisfy { $0 <= PeakMemory.limitBytes }
    }
    guard isWithin else {
        print("That is more than \(PeakMemory.limitBytes >> 10) KiB.")
        exit(1)
    }
}

func named(_ name: String) -> FuzzTarget {
    guard let target = FuzzTarget.named(name) else { fatalError("there is no `\(name)`; see `rvf-fuzz list`") }
    return target
}

func bytes(of path: FilePath) throws -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly)
    return try file.closeAfter {
        let length = Int(try file.seek(offset: 0, from: .end))
        return try unsafe [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            count = try unsafe file.read(fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
