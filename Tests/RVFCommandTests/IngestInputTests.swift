import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

@Suite("What ingest refuses, and how it ends early")
final class IngestInputTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func create() async throws {
        #expect(try await Command.run(["create", file.string, "-d", "2"]).code == 0)
    }

    private func liveRows() async throws -> Int? {
        try await Command.run(["status", file.string, "--json"]).json["vectors"] as? Int
    }

    struct Input: Sendable, CustomTestStringConvertible {
        var text: String
        /// What the message has to contain.
        var expected: String
        /// The place that the message names, where it is about the text.
        var line = 1
        var testDescription: String { text }
    }

    @Test("malformed input ends with 1, names the place, and commits nothing", arguments: [
        Input(text: "", expected: "ends here"),
        Input(text: "{\"id\":1,\"vector\":[1,2]}", expected: "expected `[`"),
        Input(text: "[\n\n{\"id\":1,\"vector\":[1,2]},\n]", expected: "row 1 (counted from 0)", line: 4),
        Input(text: "[{\"id\":1,\"vector\":[1,2]}", expected: "expected `]`"),
        Input(text: "[{\"id\":1,\"vector\":[1,", expected: "ends here"),
        Input(text: "[{\"id\":1,\"vector\":[1,2]}] 5", expected: "nothing more"),
        Input(text: "[{\"id\":1,\"vector\":[01,2]}]", expected: "found `1`"),
        Input(text: "[{\"id\":1,\"vector\":[0x1,2]}]", expected: "found `x`"),
        Input(text: "[{\"id\":1,\"vector\":[1.,2]}]", expected: "found `,`"),
        Input(text: "[{\"id\":1,\"vector\":\"1,2\"}]", expected: "for the vector"),
        Input(text: "[{id:1,\"vector\":[1,2]}]", expected: "field's name"),
        Input(text: "[{\"id\":1,\"vector\":[1,2],\"x\":tru}]", expected: "`true`"),
        Input(text: "[null]", expected: "for a row"),
        Input(text: "\u{1}", expected: "byte 0x1"),
        Input(text: "[{\"x\":" + String(repeating: "[", count: 100_000), expected: "nested"),
    ])
    func malformed(_ input: Input) async throws {
        try await create()
        let result = try await Command.run(["ingest", file.string, "-i", "-", "--json"], input: input.text)
        #expect(result.code == 1)
        #expect(result.output.isEmpty)
        #expect(result.jsonError["code"] as? String == "malformedInput")
        #expect((result.jsonError["message"] as? String)?.contains(input.expected) == true, "\(result.errors)")
        #expect(result.jsonError["line"] as? Int == input.line)
        #expect(try await liveRows() == 0)
        #expect(directory.names == ["data.rvf"])
    }

    @Test("a row that cannot be stored is named, and its batch is not committed", arguments: [
        Input(text: "[1]", expected: "has 1 components"), Input(text: "[1,2,3]", expected: "has 3 components"),
        Input(text: "[]", expected: "has 0 components"), Input(text: "[1,NaN]", expected: "NaN and infinities"),
        Input(text: "[1,-Infinity]", expected: "NaN and infinities"), Input(text: "[1,1e39]", expected: "too large"),
        Input(text: "[1,-3.4028236e38]", expected: "too large"),
        Input(text: "[1,2],\"id\":4", expected: "\"id\" stands twice"),
        Input(text: "[1,2]},{\"vector\":[1,2]", expected: "no \"id\""),
        Input(text: "[1,2]},{\"id\":5", expected: "no \"vector\""),
        Input(text: "[1,2]},{\"id\":-1,\"vector\":[1,2]", expected: "the id -1"),
        Input(text: "[1,2]},{\"id\":1.0,\"vector\":[1,2]", expected: "the id 1.0"),
        Input(text: "[1,2]},{\"id\":18446744073709551616,\"vector\":[1,2]", expected: "the id 18446744073709551616"),
        Input(text: "[1,2]},{\"id\":3,\"vector\":[5,6]", expected: "has the id of row 2"),
    ])
    func invalidRow(_ input: Input) async throws {
        try await create()
        let rows = "[{\"id\":1,\"vector\":[1,2]},{\"id\":2,\"vector\":[3,4]},{\"id\":3,\"vector\":\(input.text)}]"
        let result = try await Command.run(
            ["ingest", file.string, "-i", "-", "--batch-size", "2", "--json"], input: rows)
        #expect(result.code == 1)
        #expect(result.lines == [#"{"accepted":2,"epoch":1}"#])
        let error = result.jsonError
        #expect(error["code"] as? String == "invalidRow")
        #expect((error["message"] as? String)?.contains(input.expected) == true, "\(result.errors)")
        #expect((error["row"] as? Int).map { $0 == 2 || $0 == 3 } == true)
        #expect(error["committedRows"] as? Int == 2)
        #expect(try await liveRows() == 2)
    }

    @Test("fields that are not stored are passed over, and said")
    func otherFields() async throws {
        try await create()
        let row = #"[{"note":{"a":[1,"\"\u00e9\\",null,true]},"id":1,"vector":[1,2]}]"#
        let result = try await Command.run(["ingest", file.string, "-i", "-"], input: row)
        #expect(result.code == 0)
        #expect(result.errors.contains("passed over: note"))
        #expect(try await liveRows() == 1)
    }

    @Test("an empty array is no commit")
    func empty() async throws {
        try await create()
        let result = try await Command.run(["ingest", file.string, "-i", "-", "--json"], input: " [ ] \n")
        #expect(result.code == 0)
        #expect(result.output.isEmpty)
    }

    @Test("a file that was cut short is damaged, with the byte; another kind of file is none")
    func damaged() async throws {
        try await create()
        let whole = try Data(contentsOf: URL(fileURLWithPath: file.string))
        for length in [63, 100, 161] {
            try whole.prefix(length).write(to: URL(fileURLWithPath: file.string))
            for arguments in [["status", file.string], ["ingest", file.string, "-i", "/dev/null"]] {
                let result = try await Command.run(arguments + ["--json"])
                #expect(result.code == (length < 64 ? 1 : 5), "\(length)")
                #expect(result.jsonError["code"] as? String == (length < 64 ? "notAStore" : "damaged"), "\(length)")
                if length >= 64 { #expect(result.jsonError["offset"] as? Int == 0) }
            }
        }
        try Data("no store at all, but longer than a header of sixty-four bytes would be".utf8)
            .write(to: URL(fileURLWithPath: file.string))
        let other = try await Command.run(["status", file.string, "--json"])
        #expect(other.code == 1)
        #expect(other.jsonError["code"] as? String == "notAStore")
    }

    @Test("a flipped byte in a row is found when it is read, with the segment's place")
    func flipped() async throws {
        try await create()
        _ = try await Command.run(["ingest", file.string, "-i", "-"], input: "[{\"id\":1,\"vector\":[1,2]}]")
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file.string))
        let row = try #require(bytes.firstRange(of: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3F]))
        bytes[row.upperBound - 1] ^= 0xFF
        try bytes.write(to: URL(fileURLWithPath: file.string))
        for arguments in [["get", file.string, "1"], ["inspect", file.string, "--verify"]] {
            let result = try await Command.run(arguments + ["--json"])
            #expect(result.code == 5, "\(arguments)")
            #expect(result.jsonError["code"] as? String == "damaged", "\(arguments)")
            #expect((result.jsonError["offset"] as? Int ?? 0) > 0, "\(arguments)")
        }
    }

    @Test("killed while it waits for input, it leaves its commits and a lock that the next takes at once")
    func killed() async throws {
        try await create()
        try await ingestForever { ingest in try ingest.send(.kill) }
        #expect(directory.names == ["data.rvf", "data.rvf.lock", "pipe"])
        let next = try await Command.run(["ingest", file.string, "-i", "-"], input: "[{\"id\":9,\"vector\":[1,2]}]")
        #expect(next.code == 0)
        #expect(next.errors.contains("took over the stale lock"))
        #expect(try await liveRows() == 2)
    }

    @Test("a signal while it waits for input ends it in order: the lock is given back, commits stay")
    func terminated() async throws {
        try await create()
        let result = try await ingestForever { ingest in try ingest.send(.terminate) }
        #expect(result.code == 1)
        #expect(result.jsonError["code"] as? String == "cancelled")
        #expect(result.jsonError["committedRows"] as? Int == 1)
        #expect(directory.names == ["data.rvf", "pipe"])
        #expect(try await liveRows() == 1)
    }

    /// Feeds one row through a pipe that stays open, and calls the body once that row is committed.
    @discardableResult
    private func ingestForever(_ body: (Running) throws -> Void) async throws -> Command.Result {
        let pipe = directory.file("pipe")
        _ = try await Subprocess.run(.name("mkfifo"), arguments: [pipe.string], output: .discarded, error: .discarded)
        // Open for both, so that opening waits for nobody and the reader never sees the end.
        let end = try FileDescriptor.open(pipe, .readWrite)
        defer { try? end.close() }
        _ = try end.writeAll(Array("[{\"id\":1,\"vector\":[1,2]},".utf8))
        return try await Command.run(
            ["ingest", file.string, "-i", pipe.string, "--batch-size", "1", "--json"]
        ) { ingest in
            #expect(try await ingest.line() == #"{"accepted":1,"epoch":1}"#)
            try body(ingest)
        }
    }
}
