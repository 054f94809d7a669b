import RVFHost
import RVFStore
import SystemPackage

/// `find <path> first=… count=…`: reads so many rows of a store by their ids, and says how many there were, and by how
/// many KiB the memory of this process alone has grown since before the store was opened.
func runFind(_ path: FilePath, _ settings: Settings) throws {
    let before = anonymousKilobytes()
    let snapshot = try StoreReader(at: path).snapshot()
    let first = UInt64(settings.number("first", 0))
    var found = 0
    for id in first..<(first + UInt64(settings.number("count", 1))) {
        if try snapshot.vector(id: id) != nil { found += 1 }
    }
    Lines.say("found=\(found) grown=\(anonymousKilobytes() - before)")
}

/// Memory that is no file's; 0 where the system does not tell.
private func anonymousKilobytes() -> Int {
    let status = String(decoding: POSIXHost().systemFile("/proc/self/status") ?? [], as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
    return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) } ?? 0
}
