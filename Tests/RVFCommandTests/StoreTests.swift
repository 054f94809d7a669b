import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

@Suite("create, ingest, status, get and inspect")
final class StoreTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func create(dimension: Int = 3) async throws {
        #expect(try await Command.run(["create", file.string, "-d", "\(dimension)"]).code == 0)
    }

    private func ingest(_ rows: String, _ more: String...) async throws -> Command.Result {
        try await Command.run(["ingest", file.string, "-i", "-", "--json"] + more, input: rows)
    }

    private func bytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: file.string)) }

    @Test("a new store is empty, and says of itself what was asked for", arguments: ["l2", "ip", "cosine"])
    func newStore(_ metric: String) async throws {
        let created = try await Command.run(["create", file.string, "-d", "384", "-m", metric, "--json"])
        #expect(created.code == 0)
        let status = try await Command.run(["status", file.string, "--json"])
        #expect(status.code == 0)
        let json = status.json
        #expect(json["path"] as? String == file.string)
        #expect(json["dimension"] as? Int == 384)
        #expect(json["metric"] as? String == metric)
        for name in ["vectors", "deleted", "epoch", "segments"] { #expect(json[name] as? Int == 0, "\(name)") }
        #expect(json["bytes"] as? Int == 162)
        #expect(json["lock"] as? String == "free")
        #expect(directory.names == ["data.rvf"])
    }

    @Test("what exists is refused and stays untouched, store or not")
    func existing() async throws {
        try await create()
        let before = try bytes()
        let again = try await Command.run(["create", file.string, "-d", "5", "--json"])
        #expect(again.code == 1)
        #expect(again.jsonError["code"] as? String == "exists")
        #expect(try bytes() == before)
        try directory.write(Array("notes".utf8), to: "data.rvf")
        #expect(try await Command.run(["create", file.string, "-d", "5"]).code == 1)
        #expect(try bytes() == Data("notes".utf8))
        #expect(directory.names == ["data.rvf"])
    }

    @Test("each batch is a commit with a line of its own, and later rows replace earlier ones")
    func batches() async throws {
        try await create()
        let rows = (0..<7).map { "{\"id\":\($0),\"vector\":[\($0),0.5,-1]}" }.joined(separator: ",\n")
        let result = try await ingest("[\(rows)]", "--batch-size", "3")
        #expect(result.code == 0)
        #expect(result.lines.map { JSONText.object($0)["accepted"] as? Int } == [3, 3, 1])
        #expect(result.lines.map { JSONText.object($0)["epoch"] as? Int } == [1, 2, 3])
        #expect(try await ingest(#"[{"vector":[9,9,9],"id":2}]"#).code == 0)
        let status = try await Command.run(["status", file.string, "--json"]).json
        #expect(status["vectors"] as? Int == 7)
        #expect(status["epoch"] as? Int == 4)
        let got = try await Command.run(["get", file.string, "6", "2", "0", "--json"])
        #expect(got.lines == [
            #"{"id":6,"vector":[6.0,0.5,-1.0]}"#, #"{"id":2,"vector":[9.0,9.0,9.0]}"#, #"{"id":0,"vector":[0.0,0.5,-1.0]}"#,
        ])
    }

    @Test("every 32-bit float comes back as it was, in the fewest digits")
    func decimals() async throws {
        var generator = SystemRandomNumberGenerator()
        var numbers: [Float] = [
            0, -0.0, 1, 0.1, .leastNonzeroMagnitude, .leastNormalMagnitude, .leastNormalMagnitude.nextDown, .greatestFiniteMagnitude,
            -.greatestFiniteMagnitude, 16_777_216, 16_777_218, 1.0e10, 3.4e-5, .pi,
        ]
        while numbers.count < 1000 {
            let number = Float(bitPattern: generator.next())
            if number.isFinite { numbers.append(number) }
        }
        try await create(dimension: numbers.count)
        // More digits than a float has, so that rounding is put to the test as well.
        let long = numbers.map { String(format: "%.60e", Double($0)) }.joined(separator: ",")
        #expect(try await ingest(#"[{"id":18446744073709551615,"vector":[\#(long)]}]"#).code == 0)
        let got = try await Command.run(["get", file.string, "18446744073709551615", "--json"])
        let list = try #require(got.output.split(separator: "[").last?.split(separator: "]").first)
        let texts = list.split(separator: ",").map(String.init)
        #expect(texts.map { Float($0)?.bitPattern } == numbers.map { Optional($0.bitPattern) })
        #expect(texts == numbers.map(\.description))
        #expect(got.json["id"] as? UInt64 == .max)
    }

    @Test("ids that are not there are named, after the others were printed")
    func missingIDs() async throws {
        try await create()
        _ = try await ingest(#"[{"id":1,"vector":[1,2,3]}]"#)
        let got = try await Command.run(["get", file.string, "7", "1", "8", "--json"])
        #expect(got.code == 1)
        #expect(got.lines == [#"{"id":1,"vector":[1.0,2.0,3.0]}"#])
        #expect(got.jsonError["code"] as? String == "notFound")
        #expect(got.jsonError["ids"] as? [Int] == [7, 8])
    }

    @Test("status works beside a writer and tells of it; a second writer is refused with 3")
    func besideAWriter() async throws {
        try await create()
        _ = try await Command.run(["lock", "hold", file.string]) { holder in
            _ = try await holder.line()
            let status = try await Command.run(["status", file.string, "--json"])
            #expect(status.code == 0)
            #expect(status.json["lock"] as? String == "held")
            let refused = try await ingest(#"[{"id":1,"vector":[1,2,3]}]"#)
            #expect(refused.code == 3)
            #expect(refused.jsonError["code"] as? String == "held")
            #expect(try await Command.run(["create", directory.file("other.rvf").string, "-d", "3"]).code == 0)
            try holder.send(.terminate)
        }
        #expect(try await ingest(#"[{"id":1,"vector":[1,2,3]}]"#).code == 0)
    }

    @Test("a store that does not exist is named, and none comes to be")
    func missingStore() async throws {
        for arguments in [["status"], ["inspect"], ["get", "1"], ["ingest", "-i", "/dev/null"], ["ids"],
            ["delete", "--ids", "1"], ["query", "--id", "1"], ["compact"], ["verify"], ["backup", "out"],
            ["derive", "out"], ["repair", "-o", "out"]] {
            let result = try await Command.run([arguments[0], file.string] + arguments.dropFirst(), in: directory.path)
            #expect(result.code == 1, "\(arguments)")
            #expect(result.errors.contains(file.string), "\(arguments)")
        }
        #expect(directory.names.isEmpty)
    }

    @Test("inspect lists every segment with its place, and which of them count")
    func inspect() async throws {
        try await create()
        _ = try await ingest(#"[{"id":1,"vector":[1,2,3]}]"#)
        let listed = try await Command.run(["inspect", file.string, "--verify", "--json"])
        #expect(listed.code == 0)
        let segments = listed.lines.map(JSONText.object)
        #expect(segments.map { $0["type"] as? String } == ["manifest", "vectors", "manifest"])
        #expect(segments.map { $0["live"] as? Bool } == [false, true, true])
        #expect(segments.map { $0["typeCode"] as? Int } == [5, 1, 5])
        #expect(segments.allSatisfy { $0["id"] is Int && $0["cutOff"] as? Bool == false })
        #expect(segments[1]["length"] as? Int == 6 + 8 + 3 * 4)
        let offset = try #require(segments[1]["offset"] as? Int)
        #expect(try bytes().dropFirst(offset).prefix(4).elementsEqual(Data("SFVR".utf8)))
    }

    @Test("the real stores say what is expected of them", .enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absence)))
    func corpus() async throws {
        for name in Corpus.names(in: "stores") {
            let expected = try Corpus.expectation(of: name)
            let path = Corpus.file("stores", name).string
            let status = try await Command.run(["status", path, "--json"])
            #expect(status.code == 0, "\(name)")
            #expect(status.json["dimension"] as? Int == expected["dimension"] as? Int, "\(name)")
            #expect(status.json["vectors"] as? Int == expected["live_vectors"] as? Int, "\(name)")
            #expect(status.json["deleted"] as? Int == expected["deleted_count"] as? Int, "\(name)")
            #expect(status.json["epoch"] as? Int == expected["epoch"] as? Int, "\(name)")
            #expect(try await Command.run(["inspect", path, "--verify"]).code == 0, "\(name)")
        }
    }
}
