import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

@Suite("lock status, wait and break")
final class LockLookTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func look() async throws -> [String: Any] {
        let result = try await Command.run(["lock", "status", file.string, "--json"])
        #expect(result.code == 0)
        #expect(result.lines.count == 1)
        return result.json
    }

    @Test("a file that nobody locks is free, whether it exists or not")
    func free() async throws {
        let status = try await look()
        #expect(status["state"] as? String == "free")
        #expect(status["holder"] is NSNull)
        #expect(status["evidence"] is NSNull)
        let text = try await Command.run(["lock", "status", file.string])
        #expect(text.output.hasSuffix("is not locked.\n"))
    }

    @Test("a held lock is told with its holder, from the kernel's list")
    func held() async throws {
        _ = try await Command.run(["lock", "hold", file.string, "--json"]) { holder in
            let id = JSONText.object(try #require(try await holder.line()))["writerID"] as? String
            let status = try await look()
            #expect(status["state"] as? String == "held")
            #expect(status["evidence"] as? String == "kernelLock")
            let who = try #require(status["holder"] as? [String: Any])
            #expect(who["writerID"] as? String == id)
            #expect(who["pid"] as? Int == status["kernelLockPid"] as? Int)
            #expect((who["host"] as? String)?.isEmpty == false)
            #expect(who["guarded"] as? Bool == true)
            let age = Date().timeIntervalSince1970 - Double(who["timestampNanoseconds"] as? Int ?? 0) / 1e9
            #expect((0..<60).contains(age))
            try holder.send(.terminate)
        }
    }

    @Test("the lock of a killed holder is stale, and counts as free for whoever waits")
    func stale() async throws {
        _ = try await Command.run(["lock", "hold", file.string]) { holder in
            _ = try await holder.line()
            try holder.send(.kill)
        }
        #expect(try await look()["state"] as? String == "stale")
        let waited = try await Command.run(["lock", "wait", file.string, "--timeout", "0"])
        #expect(waited.code == 0)
        #expect(waited.output.contains("stale"))
    }

    @Test("an empty lock file is initialising, and something else in its place unreadable")
    func odd() async throws {
        try directory.write([], to: "data.rvf.lock")
        #expect(try await look()["state"] as? String == "initialising")
        try FileManager.default.removeItem(atPath: file.string + ".lock")
        try FileManager.default.createDirectory(atPath: file.string + ".lock", withIntermediateDirectories: false)
        let status = try await look()
        #expect(status["state"] as? String == "unreadable")
        #expect((status["reason"] as? String)?.contains("is a directory") == true)
    }

    @Test("waits until a holder is gone, and gives up with 3 when the time is over")
    func wait() async throws {
        _ = try await Command.run(["lock", "hold", file.string]) { holder in
            _ = try await holder.line()
            let impatient = try await Command.run(["lock", "wait", file.string, "--timeout", "0.1", "--json"])
            #expect(impatient.code == 3)
            #expect(impatient.jsonError["code"] as? String == "held")
            async let patient = Command.run(["lock", "wait", file.string, "--timeout", "30"])
            try await Task.sleep(for: .milliseconds(100))
            try holder.send(.terminate)
            #expect(try await patient.code == 0)
        }
    }

    @Test("breaks the lock that was named and no other, and a live one only by force")
    func breaking() async throws {
        let other = "000102030405060708090a0b0c0d0e0f"
        let free = try await Command.run(["lock", "break", file.string, "--writer-id", other, "--json"])
        #expect(free.code == 1)
        #expect(free.jsonError["code"] as? String == "notLocked")
        let holder = try await Command.run(["lock", "hold", file.string]) { holder in
            let id = try #require(try await holder.line()).split(separator: " ").last.map(String.init) ?? ""
            let wrong = try await Command.run(["lock", "break", file.string, "--writer-id", other, "--json"])
            #expect(wrong.code == 1)
            #expect(wrong.jsonError["code"] as? String == "otherWriter")
            let alive = try await Command.run(["lock", "break", file.string, "--writer-id", id, "--json"])
            #expect(alive.code == 3)
            #expect(alive.jsonError["code"] as? String == "holderAlive")
            #expect(directory.names == ["data.rvf.lock"])
            let forced = try await Command.run(["lock", "break", file.string, "--writer-id", id, "--force", "--json"])
            #expect(forced.code == 0)
            #expect(forced.json["forced"] as? Bool == true)
            #expect(directory.names.isEmpty)
        }
        // It finds out by itself.
        #expect(holder.code == 4)
    }

    @Test("breaks a lock file that holds no record")
    func malformed() async throws {
        try directory.write(Array("locked by hand".utf8), to: "data.rvf.lock")
        let broken = try await Command.run(["lock", "break", file.string, "--malformed", "--json"])
        #expect(broken.code == 0)
        #expect(broken.json["holder"] is NSNull)
        #expect(directory.names.isEmpty)
    }

    @Test("records of another implementation are read", .enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absence)))
    func corpus() async throws {
        for name in Corpus.names(in: "locks") {
            try directory.write(try Corpus.bytes("locks", name), to: "data.rvf.lock")
            let expected = try Corpus.expectation(of: name)
            let who = try #require(try await look()["holder"] as? [String: Any])
            #expect(who["pid"] as? Int == expected["pid"] as? Int, "\(name)")
            #expect(who["writerID"] as? String == expected["writer_id"] as? String, "\(name)")
            #expect(who["guarded"] as? Bool == false, "\(name)")
        }
    }
}
