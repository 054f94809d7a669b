import RVFFuzz
import SystemPackage

// rvf-fuzz list | rvf-fuzz seeds NAME DIRECTORY | rvf-fuzz NAME FILE… (checks the files), and where it was built by
// `scripts/fuzz`: rvf-fuzz search NAME, and what libFuzzer takes.

let words = Array(CommandLine.arguments.dropFirst())
switch words.first {
case "list": for target in FuzzTarget.all { print(target.name) }
case "seeds" where words.count == 3:
    for (number, seed) in try named(words[1]).seeds().enumerated() {
        let path = FilePath(words[2]).appending("seed-\(number)")
        let file = try FileDescriptor.open(path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
        _ = try file.closeAfter { try file.writeAll(seed) }
    }
case "search" where words.count >= 2: search(named(words[1]), Array(words.dropFirst(2)))
case let name?:
    let target = named(name)
    for path in words.dropFirst() { try target.check(bytes(of: FilePath(path))) }
case nil: fatalError("usage: rvf-fuzz list | seeds NAME DIRECTORY | search NAME … | NAME FILE…")
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
