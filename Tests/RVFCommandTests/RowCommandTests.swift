import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

@Suite("delete, ids and query")
final class RowCommandTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func run(_ subcommand: String, _ more: String...) async throws -> Command.Result {
        try await Command.run([subcommand, file.string] + more)
    }

    /// Ids from 1, each with the vector [id, 0].
    private func store(_ count: Int, metric: String = "l2") async throws {
        #expect(try await run("create", "-d", "2", "-m", metric).code == 0)
        let rows = (0..<count).map { #"{"id":\#($0 + 1),"vector":[\#($0 + 1),0]}"# }.joined(separator: ",")
        let result = try await Command.run(
            ["ingest", file.string, "-i", "-", "--batch-size", "1000000"], input: "[\(rows)]")
        #expect(result.code == 0)
    }

    @Test("delete says how many were there and how many were not, in one commit, and that is success")
    func delete() async throws {
        try await store(5)
        let result = try await run("delete", "--ids", "2,9, 4,2", "--json")
        #expect(result.code == 0)
        #expect(result.lines == [#"{"deleted":2,"ignored":1,"epoch":2}"#])
        #expect(try await run("ids").lines == ["1", "3", "5"])
        let none = try await run("delete", "--ids", "2", "--ids", "77", "--json")
        #expect(none.code == 0)
        #expect(none.lines == [#"{"deleted":0,"ignored":2,"epoch":2}"#])
        #expect(try await run("delete", "--ids", "1").output == "\(file): 1 deleted, epoch 3\n")
        #expect(try await run("delete", "--ids", "1").output == "\(file): 0 deleted, 1 not there, epoch 3\n")
        #expect(directory.names == ["data.rvf"])
    }

    @Test("delete beside a writer is refused with 3, and with --wait comes after it")
    func deleteBesideAWriter() async throws {
        try await store(3)
        _ = try await Command.run(["lock", "hold", file.string]) { holder in
            _ = try await holder.line()
            let refused = try await run("delete", "--ids", "1", "--json")
            #expect(refused.code == 3)
            #expect(refused.jsonError["code"] as? String == "held")
            async let waiting = run("delete", "--ids", "1", "--wait", "60")
            try holder.send(.terminate)
            #expect(try await waiting.code == 0)
        }
        #expect(try await run("ids").lines == ["2", "3"])
    }

    @Test("ids prints every id once, rising, up to the largest there is")
    func ids() async throws {
        try await store(3)
        _ = try await Command.run(
            ["ingest", file.string, "-i", "-"],
            input: #"[{"id":18446744073709551615,"vector":[1,2]},{"id":0,"vector":[1,2]},{"id":2,"vector":[1,2]}]"#)
        for form in [[], ["--json"]] {
            let result = try await Command.run(["ids", file.string] + form)
            #expect(result.code == 0)
            #expect(result.lines == ["0", "1", "2", "3", "18446744073709551615"])
        }
    }

    @Test("ids ends quietly when its reader goes away")
    func closedOutput() async throws {
        try await store(100_000)
        let script = "'\(Command.path)' ids '\(file)' | head -n 1; echo ${PIPESTATUS[0]}"
        let result = try await Subprocess.run(
            .path("/bin/bash"), arguments: ["-c", script], output: .string(limit: 1000), error: .string(limit: 1000))
        #expect(result.standardOutput == "1\n1\n")
        #expect(result.standardError == "")
    }

    @Test("query finds the nearest, in order, however the vector is written", arguments: [
        "3.2 0", "3.2,0", "3.2, 0", "[3.2, 0]", " [3.2,0] ", "32e-1 -0.0",
    ])
    func query(_ vector: String) async throws {
        try await store(6)
        _ = try await run("delete", "--ids", "3")
        let result = try await run("query", "-v", vector, "-k", "3", "--json")
        #expect(result.code == 0)
        let hits = try #require(
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
        #expect(hits.map { $0["id"] as? Int } == [4, 2, 5])
        for (hit, distance) in zip(hits, [0.64, 1.44, 3.24]) {
            #expect(abs((hit["distance"] as? Double ?? .nan) - distance) < 1e-5)
        }
        let text = try await run("query", "-v", vector, "-k", "3")
        #expect(text.lines.map { $0.split(separator: " ").first } == ["4", "2", "5"])
    }

    @Test("query takes a vector that begins with a minus, and the vector of a row")
    func queryForms() async throws {
        try await store(12)
        #expect(try await run("query", "-v", "-1 0", "-k", "1", "--json").output == "[{\"id\":1,\"distance\":4.0}]\n")
        let own = try await run("query", "--id", "9", "-k", "3", "--json")
        let expected = #"[{"id":9,"distance":0.0},{"id":8,"distance":1.0},{"id":10,"distance":1.0}]"#
        #expect(own.output == expected + "\n")
        #expect(try await run("query", "--id", "9", "-k", "3").output == " 9  0.0\n 8  1.0\n10  1.0\n")
        #expect(try await run("query", "--id", "9", "-k", "0", "--json").output == "[]\n")
        let all = try await run("query", "--id", "1", "--json")
        #expect(all.output.split(separator: "{").count == 11, "ten unless told otherwise")
    }

    @Test("query says what is wrong with a vector, or that there is no such row")
    func refusedQueries() async throws {
        try await store(2)
        for vector in ["1", "1 2 3", "nan 0", "1 1e99"] {
            let result = try await run("query", "-v", vector, "--json")
            #expect(result.code == 1, "\(vector)")
            #expect(result.output.isEmpty, "\(vector)")
            #expect(result.jsonError["code"] as? String == "invalidQuery", "\(vector)")
        }
        let missing = try await run("query", "--id", "7", "--json")
        #expect(missing.code == 1)
        #expect(missing.jsonError["code"] as? String == "notFound")
    }
}
