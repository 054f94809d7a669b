import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

@Suite("checkpoint, and ingest with witnesses")
final class CheckpointCommandTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func run(_ command: String, _ more: String...) async throws -> Command.Result {
        try await Command.run(["checkpoint", command, file.string, "--json"] + more)
    }

    private func create() async throws {
        #expect(try await Command.run(["create", file.string, "-d", "3"]).code == 0)
    }

    @Test("a checkpoint is set, read back, and told from others")
    func setAndGet() async throws {
        try await create()
        let set = try await run("set", "--source", "orders", "--count", "17", "--offset", "part é/17")
        #expect(set.code == 0)
        #expect(set.json["source"] as? String == "orders" && set.json["count"] as? Int == 17)
        #expect(set.json["offset"] as? String == "part é/17")
        #expect(set.json["offsetHex"] as? String == "7061727420c3a92f3137")
        #expect(try await run("set", "--source", "bills", "--count", "0", "--offset-hex", "FF00").code == 0)
        let all = try await run("get")
        #expect(all.code == 0)
        #expect(all.lines.map { JSONText.object($0)["source"] as? String } == ["bills", "orders"])
        #expect(all.json["offset"] == nil && all.json["offsetHex"] as? String == "ff00")
        let one = try await run("get", "--source", "orders")
        #expect(one.lines.count == 1 && one.json["count"] as? Int == 17)
        let text = try await Command.run(["checkpoint", "get", file.string])
        #expect(text.lines == ["bills: 0 events, offset 0xff00", "orders: 17 events, offset part é/17"])
    }

    @Test("what is against the rules fails with 1, and says which counts; what is missing too")
    func refusals() async throws {
        try await create()
        let none = try await run("get", "--source", "orders")
        #expect(none.code == 1 && none.jsonError["code"] as? String == "notFound")
        #expect(try await run("get").code == 0)
        #expect(try await run("set", "--source", "orders", "--count", "17", "--offset", "a").code == 0)
        for arguments in [["--count", "16"], ["--count", "17", "--offset", "b"]] {
            let refused = try await Command.run(
                ["checkpoint", "set", file.string, "--json", "--source", "orders"] + arguments)
            #expect(refused.code == 1)
            #expect(refused.jsonError["code"] as? String == "checkpoint")
            #expect(refused.jsonError["stored"] as? Int == 17 && refused.jsonError["source"] as? String == "orders")
        }
        let restored = try await run("set", "--source", "orders", "--count", "3", "--restore")
        #expect(restored.code == 0 && restored.json["count"] as? Int == 3)
        #expect(try await run("get", "--source", "orders").json["offset"] as? String == "")
        let removed = try await run("set", "--source", "orders", "--remove")
        #expect(removed.code == 0 && removed.json["removed"] as? Bool == true)
        #expect(try await run("get", "--source", "orders").code == 1)
    }

    @Test("wrong usage is told before anything is done", arguments: [
        ["--count", "1", "--offset", "a", "--offset-hex", "00"], ["--offset", "a"], ["--remove", "--count", "1"],
        ["--count", "1", "--offset-hex", "0"], ["--count", "1", "--offset-hex", "0g"], ["--count", "-1"],
    ])
    func usage(_ arguments: [String]) async throws {
        try await create()
        let result = try await Command.run(["checkpoint", "set", file.string, "--json", "--source", "a"] + arguments)
        #expect(result.code == 2)
        #expect(result.jsonError["code"] as? String == "usage")
    }

    @Test("with --witness each batch leaves a witness")
    func witness() async throws {
        try await create()
        let rows = (0..<4).map { "{\"id\":\($0),\"vector\":[\($0),0.5,-1]}" }.joined(separator: ",")
        let result = try await Command.run(
            ["ingest", file.string, "-i", "-", "--batch-size", "2", "--witness"], input: "[\(rows)]")
        #expect(result.code == 0)
        let segments = try await Command.run(["inspect", file.string, "--json"])
        let types = segments.lines.map { JSONText.object($0)["type"] as? String }
        #expect(types.count { $0 == "witness" } == 2)
    }
}
