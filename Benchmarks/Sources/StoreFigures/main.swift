import FigureSupport
import Foundation

/// The parts of the table, by the names under which they are asked for.
func sections() -> [(name: String, run: (Bench) throws -> Void)] {
    [
        ("commits", commitFigures), ("bulk", bulkLoadFigures), ("open", openingFigures), ("refresh", refreshFigures),
        ("compact", compactionFigures), ("many", manyCommitFigures), ("search", searchFigures),
    ]
}

func run() throws {
    let sections = sections()
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.first == "role" { return try playRole(Array(arguments.dropFirst())) }
    let asked = arguments.filter { !$0.hasPrefix("--") }
    let unknown = asked.filter { name in !sections.contains { $0.name == name } }
    guard unknown.isEmpty else {
        throw FigureError("no section \(unknown[0]); there are \(sections.map(\.name).joined(separator: ", "))")
    }
    let bench = try Bench(isShort: arguments.contains("--short"), isLong: arguments.contains("--long"))
    defer { bench.remove() }
    row("what", "floor", "ours", "speed, of the floor's", "target")
    row("---", "---", "---", "---", "---")
    for section in sections where asked.isEmpty || asked.contains(section.name) { try section.run(bench) }
}

do {
    try run()
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
}
