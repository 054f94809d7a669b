import Foundation

/// This program in another role, in a process of its own, speaking lines.
package final class Child {
    private let process = Process()
    private let output = Pipe()
    private let input = Pipe()
    private var buffered: [UInt8] = []

    package init(_ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = arguments
        process.standardOutput = output
        process.standardInput = input
        try process.run()
    }

    package var identifier: Int32 { process.processIdentifier }

    /// The next line that the child writes; waits for it.
    package func line() -> String? {
        while true {
            if let end = buffered.firstIndex(of: 10) {
                let line = String(decoding: buffered[..<end], as: UTF8.self)
                buffered.removeSubrange(...end)
                return line
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { return nil }
            buffered += more
        }
    }

    package func tell(_ line: String) {
        try? input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    package func kill() { Foundation.kill(identifier, SIGKILL) }

    package func wait() { process.waitUntilExit() }
}

/// A child's side: lines go out at once.
package func say(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
}
