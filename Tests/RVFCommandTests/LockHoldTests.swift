import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

@Suite("lock hold")
final class LockHoldTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func arguments(_ words: String...) -> [String] { ["lock", "hold", file.string] + words }

    @Test("says that it holds, with the writer id that stands in the lock file")
    func held() async throws {
        _ = try await Command.run(arguments()) { holder in
            let words = try #require(try await holder.line()).split(separator: " ")
            #expect(words.count == 2 && words[0] == "held")
            let record = try Data(contentsOf: URL(fileURLWithPath: file.string + ".lock"))
            #expect(record.count == 104)
            #expect(record[0x50..<0x60].map { String(format: "%02x", $0) }.joined() == words[1])
            try holder.send(.terminate)
        }
    }

    @Test("releases after its time, and not before")
    func seconds() async throws {
        let start = ContinuousClock.now
        let result = try await Command.run(arguments("--seconds", "0.3"))
        #expect(ContinuousClock.now - start >= .milliseconds(300))
        #expect(result.code == 0)
        #expect(result.lines.last == "released")
        #expect(directory.names.isEmpty)
    }

    @Test("gives the lock back on SIGTERM, SIGINT and SIGHUP, and that is success", arguments: [
        Signal.terminate, .interrupt, .terminalClosed,
    ])
    func signals(_ signal: Signal) async throws {
        let result = try await Command.run(arguments()) { holder in
            _ = try await holder.line()
            #expect(directory.names == ["data.rvf.lock"])
            try holder.send(signal)
        }
        #expect(result.code == 0)
        #expect(result.lines.last == "released")
        #expect(directory.names.isEmpty)
    }

    @Test("refuses a second holder with 3 and names the first")
    func secondHolder() async throws {
        _ = try await Command.run(arguments()) { holder in
            _ = try await holder.line()
            let second = try await Command.run(arguments("--seconds", "0"))
            #expect(second.code == 3)
            #expect(second.output.isEmpty)
            #expect(second.errors.contains("is locked by process "))
            #expect(second.errors.contains("(rvf lock hold"))
            #expect(second.errors.contains("it is alive: it holds the kernel lock"))
            let json = try await Command.run(arguments("--seconds", "0", "--json"))
            #expect(json.code == 3)
            #expect(json.jsonError["code"] as? String == "held")
            #expect((json.jsonError["holder"] as? [String: Any])?["guarded"] as? Bool == true)
            try holder.send(.terminate)
        }
    }

    @Test("waits for a holder that goes, and gives up with 3 when the time is over")
    func waits() async throws {
        _ = try await Command.run(arguments()) { holder in
            _ = try await holder.line()
            let impatient = try await Command.run(arguments("--wait", "0.2"))
            #expect(impatient.code == 3)
            async let patient = Command.run(arguments("--wait", "30", "--seconds", "0"))
            try await Task.sleep(for: .milliseconds(100))
            try holder.send(.terminate)
            #expect(try await patient.code == 0)
        }
    }

    @Test("a signal ends the wait, and leaves the holder alone")
    func waitInterrupted() async throws {
        _ = try await Command.run(arguments()) { holder in
            _ = try await holder.line()
            let line = "exec \(Command.path) lock hold \(file) --wait 30 2>&1"
            let waiting = try await Command.run(["-c", line], executable: "/bin/sh") { waiter in
                #expect(try await waiter.line()?.hasPrefix("rvf: waiting: ") == true)
                try waiter.send(.terminate)
            }
            #expect(waiting.code == 1)
            #expect(directory.names == ["data.rvf.lock"])
            try holder.send(.terminate)
        }
    }

    @Test("takes over at once from a holder that was killed, and says from whom")
    func killed() async throws {
        let killed = try await Command.run(arguments()) { holder in
            _ = try await holder.line()
            try holder.send(.kill)
        }
        #expect(killed.code == nil)
        #expect(directory.names == ["data.rvf.lock"])
        let next = try await Command.run(arguments("--seconds", "0"))
        #expect(next.code == 0)
        #expect(next.errors.contains("took over the stale lock of process"))
        #expect(directory.names.isEmpty)
    }

    @Test("a lock that is lost while it is held ends with 4", .timeLimit(.minutes(1)))
    func lost() async throws {
        let result = try await Command.run(arguments("--json")) { holder in
            _ = try await holder.line()
            try FileManager.default.removeItem(atPath: file.string + ".lock")
        }
        #expect(result.code == 4)
        #expect(result.jsonError["code"] as? String == "lost")
        #expect(result.jsonError["reason"] as? String == "missing")
    }

    @Test("with --json each event is a line")
    func json() async throws {
        let result = try await Command.run(arguments("--seconds", "0", "--json"))
        #expect(result.lines.map { JSONText.object($0)["event"] as? String } == ["held", "released"])
        #expect((result.json["writerID"] as? String)?.count == 32)
    }

    @Test("a directory that is not there, or is a file, is named")
    func badPath() async throws {
        let missing = try await Command.run(["lock", "hold", directory.file("no/data.rvf").string])
        #expect(missing.code == 1)
        #expect(missing.errors.contains("no/data.rvf"))
        try directory.write([], to: "plain")
        let file = try await Command.run(["lock", "hold", directory.file("plain/data.rvf").string, "--json"])
        #expect(file.code == 1)
        #expect(file.jsonError["code"] as? String == "system")
    }

    @Test("started with standard output closed, it writes its messages into no lock file")
    func closedOutput() async throws {
        let line = """
            \(Command.path) lock hold \(file) --seconds 1 >&- &
            while ! [ -e \(file).lock ]; do sleep 0.01; done
            sleep 0.2; cat \(file).lock; wait $!
            """
        let result = try await Subprocess.run(
            .path("/bin/sh"), arguments: ["-c", line], output: .bytes(limit: 4096), error: .discarded)
        #expect(result.standardOutput.count == 104)
        #expect(Array(result.standardOutput.prefix(4)) == [0x46, 0x4C, 0x56, 0x52])
        #expect(directory.names.isEmpty)
    }

    @Test("a reader of its output that goes away leaves no lock behind")
    func brokenPipe() async throws {
        // `true` does not read, so that the first word already finds nobody.
        let line = "{ sleep 0.1; \(Command.path) lock hold \(file); echo $? >\(file).code; } | true; cat \(file).code"
        let result = try await Subprocess.run(
            .path("/bin/sh"), arguments: ["-c", line], output: .string(limit: 16), error: .discarded)
        #expect(result.standardOutput == "1\n")
        #expect(directory.names == ["data.rvf.code"])
    }
}
