import RVFTestSupport
import SystemPackage
import Testing

@Suite("--where")
final class FilterTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func run(_ subcommand: String, _ more: String...) async throws -> Command.Result {
        try await Command.run([subcommand, file.string] + more)
    }

    /// Rows 1 to 6 at their ids, of two languages and rising years, and row 7 without metadata.
    private func store() async throws {
        #expect(try await run("create", "-d", "1").code == 0)
        let rows = (1...6).map {
            #"{"id":\#($0),"vector":[\#($0)],"metadata":{"language":"\#($0 % 2 == 0 ? "en" : "fr")","year":\#(2018 + $0)}}"#
        }
        let result = try await Command.run(
            ["ingest", file.string, "-i", "-"], input: "[\((rows + [#"{"id":7,"vector":[7]}"#]).joined(separator: ","))]")
        #expect(result.code == 0, "\(result.errors)")
    }

    @Test("ids prints those for which the filter is true", arguments: [
        ("language = 'en'", ["2", "4", "6"]), (#"language = "fr" and year >= 2020"#, ["3", "5"]),
        ("not exists language", ["7"]), ("language != 'en'", ["1", "3", "5"]),
        ("year in (2019, 2024) or not exists year", ["1", "6", "7"]), ("language ^= 'e'", ["2", "4", "6"]),
        ("colour = 'red'", []), ("true", ["1", "2", "3", "4", "5", "6", "7"]),
    ])
    func ids(_ filter: String, _ expected: [String]) async throws {
        try await store()
        let result = try await run("ids", "--where", filter)
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.lines == expected)
    }

    @Test("query finds the nearest of those for which the filter is true")
    func query() async throws {
        try await store()
        let near = try await run("query", "-v", "1", "-k", "2", "--where", "language = 'en'", "--json")
        #expect(near.lines == [#"[{"id":2,"distance":1.0},{"id":4,"distance":9.0}]"#])
        let itself = try await run("query", "--id", "1", "-k", "1", "--where", "year > 2019")
        #expect(itself.lines == ["2  1.0"])
        #expect(try await run("query", "-v", "1", "--where", "false").output.isEmpty)
    }

    @Test("delete removes exactly what ids shows, in one commit; where nothing is true, none is made")
    func delete() async throws {
        try await store()
        let none = try await run("delete", "--where", "year > 3000", "--json")
        #expect(none.code == 0)
        #expect(none.lines == [#"{"deleted":0,"ignored":0,"epoch":1}"#])
        let result = try await run("delete", "--where", "language = 'en' or not exists language", "--json")
        #expect(result.lines == [#"{"deleted":4,"ignored":0,"epoch":2}"#])
        #expect(try await run("ids").lines == ["1", "3", "5"])
        #expect(try await run("delete", "--where", "true").output == "\(file): 3 deleted, epoch 3\n")
        #expect(directory.names == ["data.rvf"])
    }

    @Test("a filter that cannot be read is wrong usage, and is pointed at", arguments: [
        ("language 'en'", 10), ("year >= 2020 and", 17), ("(a = 1", 7), ("a = 1)", 6), ("ü = 1", 1), ("a = 'x", 5), ("", 1),
        ("a = 1\nand b ? 2", 13),
    ])
    func unreadable(_ filter: String, _ column: Int) async throws {
        for arguments in [["ids"], ["query", "-v", "1"], ["delete"]] {
            // Before the store is looked at.
            let words = [arguments[0], "/nowhere/x.rvf"] + arguments.dropFirst() + ["--where", filter]
            let result = try await Command.run(words)
            #expect(result.code == 2 && result.output.isEmpty)
            let lines = result.errors.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.first?.contains("column \(column): ") == true, "\(result.errors)")
            #expect(lines.dropFirst().first == Substring("  " + filter.replacing("\n", with: " ")))
            #expect(lines.dropFirst(2).first == Substring(String(repeating: " ", count: column + 1) + "^"))
            let json = try await Command.run(words + ["--json"])
            #expect(json.code == 2)
            #expect(json.jsonError["code"] as? String == "usage" && json.jsonError["column"] as? Int == column)
            #expect((json.jsonError["message"] as? String)?.contains("\n") == false)
        }
    }

    @Test("of a long filter the part around the mistake is shown")
    func longFilter() async throws {
        let filter = (0..<100).map { "field\($0) = \($0)" }.joined(separator: " and ") + " or or more = 1"
        let result = try await Command.run(["ids", "x", "--where", filter])
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 3 && lines.dropFirst().allSatisfy { $0.count <= 80 })
        let mark = try #require(lines.last).count - 1
        #expect(lines[1].dropFirst(mark).hasPrefix("or more = 1"))
    }
}
