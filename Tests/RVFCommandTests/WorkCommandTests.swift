import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

@Suite("compact, verify, repair, backup and derive")
final class WorkCommandTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func run(_ words: String...) async throws -> Command.Result { try await Command.run(words) }

    /// Ids from 1 in one commit, of which some are deleted in the next.
    private func store(rows count: Int, dimension: Int = 2, deleting: String? = nil) async throws {
        #expect(try await run("create", file.string, "-d", "\(dimension)").code == 0)
        let rest = String(repeating: ",0", count: dimension - 1)
        let rows = (1...count).map { #"{"id":\#($0),"vector":[\#($0)\#(rest)]}"# }.joined(separator: ",")
        let result = try await Command.run(
            ["ingest", file.string, "-i", "-", "--batch-size", "1000000"], input: "[\(rows)]")
        #expect(result.code == 0)
        if let deleting { #expect(try await run("delete", file.string, "--ids", deleting).code == 0) }
    }

    private func bytes(_ path: FilePath) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path.string))) }

    private func ids(_ path: FilePath) async throws -> [String] { try await run("ids", path.string).lines }

    /// Turns a bit in the payload of the first live vector segment.
    private func damage() async throws -> Int {
        let segments = try await run("inspect", file.string, "--json").lines.map(JSONText.object)
        let live = try #require(segments.first { $0["live"] as? Bool == true && $0["type"] as? String == "vectors" })
        let offset = try #require(live["offset"] as? Int)
        var bytes = try bytes(file)
        bytes[offset + 64 + 20] ^= 1
        try directory.write(bytes, to: "data.rvf")
        return offset
    }

    private func list(_ json: [String: Any], _ name: String) -> [[String: Any]] { json[name] as? [[String: Any]] ?? [] }

    // MARK: compact

    @Test("compact makes the file smaller, keeps the rows, and says what it did")
    func compact() async throws {
        try await store(rows: 500, deleting: "2,3")
        let before = try bytes(file).count
        let result = try await run("compact", file.string, "--json")
        #expect(result.code == 0)
        #expect(result.errors.isEmpty, "no progress where there is no terminal")
        let after = try bytes(file).count
        #expect(result.json["bytesBefore"] as? Int == before)
        #expect(result.json["bytesAfter"] as? Int == after)
        #expect(after < before)
        #expect(result.json["rows"] as? Int == 498)
        #expect(result.json["carried"] as? Int == 0)
        let status = try await run("status", file.string, "--json").json
        #expect(status["vectors"] as? Int == 498)
        #expect(status["epoch"] as? Int == result.json["epoch"] as? Int)
        #expect(directory.names == ["data.rvf"])
        #expect(try await run("compact", file.string).output.contains("bytes after"))
    }

    @Test("compact --progress says how far it is, in the form that was asked for")
    func progress() async throws {
        try await store(rows: 10)
        #expect(try await run("compact", file.string, "--progress").errors.contains(" %\n"))
        let lines = try await run("compact", file.string, "--progress", "--json").errors.split(separator: "\n")
        #expect(!lines.isEmpty)
        for line in lines {
            let event = JSONText.object(String(line))
            #expect(event["event"] as? String == "progress")
            #expect((event["doneBytes"] as? Int ?? .max) <= (event["totalBytes"] as? Int ?? 0))
        }
    }

    @Test("a signal ends compact, and leaves the file as it was and no other", arguments: [Signal.interrupt, .terminate])
    func cancelledCompaction(_ signal: Signal) async throws {
        try await store(rows: 3000, dimension: 100)
        let before = try bytes(file)
        // So slow that it would take minutes; the first progress is said before the first pause.
        let script = "exec '\(Command.path)' compact '\(file)' --progress --rate 20000 2>&1"
        let result = try await Command.run(["-c", script], executable: "/bin/bash") { compacting in
            _ = try await compacting.line()
            try compacting.send(signal)
        }
        #expect(result.code == 1)
        #expect(result.lines.last?.contains("cancelled; nothing was changed") == true)
        #expect(try bytes(file) == before)
        #expect(directory.names == ["data.rvf"])
        #expect(try await run("delete", file.string, "--ids", "1").code == 0, "the lock is free")
    }

    @Test("compact beside a writer is refused with 3")
    func compactBesideAWriter() async throws {
        try await store(rows: 3)
        _ = try await Command.run(["lock", "hold", file.string]) { holder in
            _ = try await holder.line()
            #expect(try await run("compact", file.string, "--json").code == 3)
            try holder.send(.terminate)
        }
    }

    // MARK: verify and repair

    @Test("verify finds nothing wrong with what the other commands leave")
    func verifyIntact() async throws {
        try await store(rows: 20, deleting: "4")
        let result = try await run("verify", file.string, "--json")
        #expect(result.code == 0)
        #expect(result.json["ok"] as? Bool == true)
        #expect(list(result.json, "problems").isEmpty)
        #expect(list(result.json, "warnings").isEmpty)
        #expect(result.json["bytes"] as? Int == (try bytes(file).count))
        #expect(result.json["rows"] as? Int == 20)
        #expect(result.json["epoch"] as? Int == 2)
        #expect(try await run("verify", file.string).output.contains(": intact; "))
    }

    @Test("verify names the place of damage with 5; what an interrupted commit left is only a warning")
    func verifyDamage() async throws {
        try await store(rows: 20)
        try directory.write(try bytes(file) + [1, 2, 3], to: "data.rvf")
        let warned = try await run("verify", file.string, "--json")
        #expect(warned.code == 0)
        #expect(warned.json["ok"] as? Bool == true)
        #expect(list(warned.json, "warnings").count == 1)

        let offset = try await damage()
        let result = try await run("verify", file.string, "--json")
        #expect(result.code == 5)
        #expect(result.json["ok"] as? Bool == false)
        let problems = list(result.json, "problems")
        #expect(problems.map { $0["offset"] as? Int } == [offset])
        #expect((problems.first?["what"] as? String)?.contains("hash") == true)
        #expect(result.jsonError["code"] as? String == "damaged")
        let text = try await run("verify", file.string)
        #expect(text.code == 5)
        #expect(text.lines.contains { $0.hasPrefix("damage ") && $0.contains(" \(offset) ") })
    }

    @Test("verify of a file that never was a store ends as with the other commands; of a torn one with 5")
    func verifyOthers() async throws {
        try directory.write(Array("notes".utf8), to: "notes")
        try directory.write([], to: "empty")
        for name in ["notes", "empty", "missing", "."] {
            let path = directory.file(name).string
            let (verified, status) = (try await run("verify", path, "--json"), try await run("status", path, "--json"))
            #expect(verified.code == 1, "\(name)")
            #expect(verified.output.isEmpty, "\(name)")
            #expect(verified.jsonError["code"] as? String == status.jsonError["code"] as? String, "\(name)")
        }
        try await store(rows: 3)
        try directory.write(Array(try bytes(file).prefix(100)), to: "torn")
        let torn = try await run("verify", directory.file("torn").string, "--json")
        #expect(torn.code == 5)
        #expect(torn.json["ok"] as? Bool == false)
        #expect(torn.json["epoch"] is NSNull)
    }

    @Test("repair saves what is intact into a new store, lists the rest, and leaves the old file alone")
    func repair() async throws {
        try await store(rows: 20)
        _ = try await Command.run(["ingest", file.string, "-i", "-"], input: #"[{"id":99,"vector":[1,2]}]"#)
        #expect(try await run("compact", file.string).code == 0)
        // The first vector segment takes rows 1 to 20; the next commit is too small to be merged with it.
        _ = try await Command.run(["ingest", file.string, "-i", "-"], input: #"[{"id":100,"vector":[1,2]}]"#)
        let offset = try await damage()
        let before = try bytes(file)
        let out = directory.file("saved.rvf")
        let result = try await run("repair", file.string, "-o", out.string, "--json")
        #expect(result.code == 0)
        #expect(result.json["path"] as? String == out.string)
        #expect(result.json["rows"] as? Int == 1)
        #expect(result.json["lossCount"] as? Int == 1)
        #expect(list(result.json, "losses").map { $0["offset"] as? Int } == [offset])
        #expect(try await ids(out) == ["100"])
        #expect(try await run("verify", out.string).code == 0)
        #expect(try bytes(file) == before)

        let again = try await run("repair", file.string, "--output", out.string, "--json")
        #expect(again.code == 1)
        #expect(again.jsonError["code"] as? String == "exists")
        #expect(try await ids(out) == ["100"])
        #expect(try await run("repair", file.string, "-o", file.string).code == 1)
        #expect(try bytes(file) == before)
        #expect(directory.names == ["data.rvf", "saved.rvf"])
    }

    @Test("repair saves rows whose commit lost its manifest only where that is asked for")
    func repairUnnamed() async throws {
        try await store(rows: 3)
        let whole = try bytes(file)
        _ = try await Command.run(["ingest", file.string, "-i", "-"], input: #"[{"id":50,"vector":[1,2]}]"#)
        let segments = try await run("inspect", file.string, "--json").lines.map(JSONText.object)
        let manifest = try #require(segments.last?["offset"] as? Int)
        #expect(manifest > whole.count)
        try directory.write(Array(try bytes(file).prefix(manifest)), to: "data.rvf")
        for (flags, expected) in [([], ["1", "2", "3"]), (["--include-unnamed"], ["1", "2", "3", "50"])] {
            let out = directory.file("saved\(flags.count)")
            #expect(try await Command.run(["repair", file.string, "-o", out.string] + flags).code == 0)
            #expect(try await ids(out).suffix(expected.count) == expected[...], "\(flags)")
        }
    }

    // MARK: backup and derive

    @Test("backup copies the newest commit beside a writer, and replaces nothing")
    func backup() async throws {
        try await store(rows: 20, deleting: "1")
        let copy = directory.file("copy.rvf")
        _ = try await Command.run(["lock", "hold", file.string]) { holder in
            _ = try await holder.line()
            let result = try await run("backup", file.string, copy.string, "--json")
            #expect(result.code == 0)
            #expect(result.json["bytes"] as? Int == (try bytes(file).count))
            #expect(result.json["epoch"] as? Int == 2)
            try holder.send(.terminate)
        }
        #expect(try bytes(copy) == bytes(file))
        let again = try await run("backup", file.string, copy.string, "--json")
        #expect(again.code == 1)
        #expect(again.jsonError["code"] as? String == "exists")
    }

    @Test("derive makes a store with the same rows, which names its parent")
    func derive() async throws {
        try await store(rows: 20, deleting: "1,20")
        let (child, grandchild) = (directory.file("child.rvf"), directory.file("grandchild.rvf"))
        let first = try await run("derive", file.string, child.string, "--json")
        #expect(first.code == 0)
        #expect(first.json["rows"] as? Int == 18)
        #expect(first.json["depth"] as? Int == 1)
        #expect(try await ids(child) == ids(file))
        let second = try await run("derive", child.string, grandchild.string, "--json")
        #expect(second.json["parentID"] as? String == first.json["fileID"] as? String)
        #expect(second.json["depth"] as? Int == 2)
        #expect(try await run("derive", file.string, child.string).code == 1)
        #expect(directory.names == ["child.rvf", "data.rvf", "grandchild.rvf"])
    }
}
