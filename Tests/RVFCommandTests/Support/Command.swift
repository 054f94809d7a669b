import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

/// The command as a script sees it.
enum Command {
    struct Result: Sendable {
        /// Nil where a signal ended it.
        var code: Int32?
        var output: String
        var errors: String

        /// The lines of standard output.
        var lines: [String] { output.split(separator: "\n").map(String.init) }
        /// The object on the only line, or the first, of standard output.
        var json: [String: Any] { JSONText.object(lines.first ?? "") }
        /// The `error` object on the last line of standard error.
        var jsonError: [String: Any] {
            let last = errors.split(separator: "\n").last.map(String.init) ?? ""
            return JSONText.object(last)["error"] as? [String: Any] ?? [:]
        }
    }

    /// The built command: it lies beside the test bundle.
    static let path: FilePath = {
        #if os(Linux)
            let test = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        #else
            let test = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL ?? Bundle.main.bundleURL
        #endif
        return FilePath(test.deletingLastPathComponent().appendingPathComponent("rvf").path)
    }()

    private static let outputLimit = 16 << 20

    static func run(
        _ arguments: [String], in directory: FilePath? = nil, input: String = ""
    ) async throws -> Result {
        // From a file: writing to a pipe whose reader has ended already would end the test run (SIGPIPE).
        let scratch = try TemporaryDirectory()
        let file = try FileDescriptor.open(try scratch.write(Array(input.utf8), to: "input"), .readOnly)
        let result = try await Subprocess.run(
            .path(path), arguments: Arguments(arguments), workingDirectory: directory,
            input: .fileDescriptor(file, closeAfterSpawningProcess: true),
            output: .string(limit: outputLimit), error: .string(limit: outputLimit))
        return Result(
            code: result.terminationStatus.code, output: result.standardOutput, errors: result.standardError)
    }

    /// Runs the command, and the body beside it with its lines as they come and a way to signal it. It is killed if
    /// the body throws; else it is waited for.
    static func run(
        _ arguments: [String], executable: FilePath = path, in directory: FilePath? = nil,
        beside body: (Running) async throws -> Void
    ) async throws -> Result {
        let result = try await Subprocess.run(
            .path(executable), arguments: Arguments(arguments), workingDirectory: directory,
            input: .none, output: .sequence, error: .string(limit: outputLimit)
        ) { execution in
            let running = Running(execution.standardOutput.strings()) { try execution.send(signal: $0) }
            do {
                try await body(running)
            } catch {
                try? execution.send(signal: .kill)
                throw error
            }
            return try await running.rest()
        }
        return Result(
            code: result.terminationStatus.code, output: result.closureResult, errors: result.standardError)
    }
}

/// A command at work.
final class Running {
    private var lines: AsyncLines.AsyncIterator
    private var seen = ""
    let send: (Signal) throws -> Void

    typealias AsyncLines = SubprocessOutputSequence.StringSequence<UTF8>

    init(_ lines: AsyncLines, send: @escaping (Signal) throws -> Void) {
        self.lines = lines.makeAsyncIterator()
        self.send = send
    }

    /// The next line of standard output; nil at its end.
    func line() async throws -> String? {
        guard let line = try await lines.next() else { return nil }
        seen += line + "\n"
        return line
    }

    /// Everything that has been and will be printed.
    func rest() async throws -> String {
        while try await line() != nil {}
        return seen
    }
}

extension TerminationStatus {
    var code: Int32? {
        if case .exited(let code) = self { code } else { nil }
    }
}

enum JSONText {
    static func object(_ text: String) -> [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]) ?? [:]
    }
}
