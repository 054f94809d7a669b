import SystemPackage
import Testing

@Suite("Usage")
struct UsageTests {
    @Test("the version and the help are results, and the help names the exit codes")
    func helpAndVersion() async throws {
        let version = try await Command.run(["--version"])
        #expect(version.code == 0)
        #expect(version.output.split(separator: ".").count == 3)
        let help = try await Command.run(["--help"])
        #expect(help.code == 0)
        #expect(help.output.contains("Exit codes: 0 done"))
        for subcommand in [
            "create", "ingest", "delete", "get", "ids", "query", "status", "inspect", "verify", "compact", "backup",
            "derive", "repair", "checkpoint", "lock",
        ] {
            #expect(help.output.contains("  \(subcommand) "))
        }
    }

    @Test("wrong arguments end with 2, and say what is wrong", arguments: [
        ["frobnicate"], ["create"], ["create", "x.rvf"], ["create", "x.rvf", "-d", "0"], ["create", "x.rvf", "-d", "65536"],
        ["create", "x.rvf", "-d", "3", "-m", "hamming"], ["get", "x.rvf"], ["get", "x.rvf", "-1"], ["get", "x.rvf", "one"],
        ["ingest", "x.rvf"], ["ingest", "x.rvf", "-i", "-", "--batch-size", "0"], ["lock", "hold"],
        ["lock", "hold", "x", "--seconds", "-1"], ["lock", "hold", "x", "--wait", "soon"], ["lock", "break", "x"],
        ["lock", "break", "x", "--writer-id", "12"],
        ["lock", "break", "x", "--malformed", "--writer-id", "000102030405060708090a0b0c0d0e0f"],
        ["delete", "x"], ["delete", "x", "--ids", ""], ["delete", "x", "--ids", "1,two"],
        ["delete", "x", "--ids", "1", "--where", "a = 1"], ["query", "x"],
        ["query", "x", "-v", "1 2", "--id", "3"], ["query", "x", "-v", "one"], ["query", "x", "-v", "1,,2"],
        ["query", "x", "-v", ""], ["query", "x", "--id", "3", "-k", "-1"],
        ["compact", "x", "--wait", "-1"], ["compact", "x", "--rate", "0"], ["verify"], ["repair", "x"], ["repair", "x", "-o"], ["backup", "x"],
        ["derive", "x"], ["lock", "adopt", "x"], ["lock", "adopt", "x", "--from", "s", "--hand-over", "s"],
    ])
    func wrongArguments(_ arguments: [String]) async throws {
        let result = try await Command.run(arguments, in: "/")
        #expect(result.code == 2)
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("rvf: "))
        let json = try await Command.run(arguments + ["--json"], in: "/")
        #expect(json.code == 2)
        #expect(json.jsonError["code"] as? String == "usage")
        #expect((json.jsonError["message"] as? String)?.isEmpty == false)
    }
}
