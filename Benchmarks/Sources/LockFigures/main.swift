import FigureSupport
import Foundation
import SystemPackage

func run() throws {
    let arguments = CommandLine.arguments.dropFirst()
    let path = FilePath(arguments.dropFirst().first ?? "")
    switch arguments.first {
    case "hold": try hold(path)
    case "wait": try waitForLock(path)
    case "contend":
        let numbers = arguments.dropFirst(2).compactMap { Double($0) }
        try contend(path, seconds: numbers[0], holdSeconds: numbers[1])
    default:
        let figures = try Figures()
        defer { figures.remove() }
        row("what", "bare", "ours", "ratio", "target")
        row("---", "---", "---", "---", "---")
        try figures.uncontended()
        try figures.takeOver()
        try figures.wakeUp()
        try figures.contention(holdSeconds: 0.0001)
        try figures.contention(holdSeconds: 0.002)
        try figures.manyLocks()
    }
}

do {
    try run()
} catch {
    FileHandle.standardError.write(Data("\(error)\n".utf8))
    exit(1)
}
