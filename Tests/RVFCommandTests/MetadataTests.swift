import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

@Suite("Metadata in ingest, get and status")
final class MetadataTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func ingest(_ rows: String, _ more: String...) async throws -> Command.Result {
        if !FileManager.default.fileExists(atPath: file.string) {
            #expect(try await Command.run(["create", file.string, "-d", "1"]).code == 0)
        }
        return try await Command.run(["ingest", file.string, "-i", "-", "--json"] + more, input: rows)
    }

    private func row(_ id: Int, _ metadata: String) -> String {
        #"[{"id":\#(id),"vector":[1],"metadata":\#(metadata)}]"#
    }

    @Test("every kind of value comes back as it was")
    func values() async throws {
        let metadata = #"""
            {"t":"a \"quote\", ü and \ud83d\ude00","yes":true,"no":false,"none":null,"i":-9223372036854775808,
             "u":18446744073709551615,"d":0.1,"e":1e300,"":"empty name?"}
            """#
        // A field has to have a name.
        let refused = try await ingest(row(1, metadata))
        #expect(refused.code == 1 && refused.jsonError["code"] as? String == "invalidMetadata", "\(refused.errors)")
        let taken = try await ingest(row(1, metadata.replacingOccurrences(of: #","":"empty name?""#, with: "")))
        #expect(taken.code == 0, "\(taken.errors)")
        let got = try await Command.run(["get", file.string, "1", "--json"])
        #expect(got.lines == [
            #"{"id":1,"vector":[1.0],"metadata":{"d":0.1,"e":1e+300,"i":-9223372036854775808,"no":false,"none":null,"#
                + #""t":"a \"quote\", ü and 😀","u":18446744073709551615,"yes":true}}"#,
        ])
        #expect(try await Command.run(["get", file.string, "1"]).lines == ["1  1.0"])
        let text = try await Command.run(["get", file.string, "1", "--metadata"])
        #expect(text.output.hasPrefix(#"1  1.0  {"d":0.1,"#))
    }

    @Test("a row's metadata is all that its id has; without, or with null, the id keeps what it has")
    func replacing() async throws {
        _ = try await ingest(row(1, #"{"a":1,"b":2}"#))
        _ = try await ingest(#"[{"id":1,"vector":[2]},{"id":2,"vector":[2],"metadata":null}]"#)
        let kept = try await Command.run(["get", file.string, "1", "2", "--json"])
        #expect(kept.lines == [#"{"id":1,"vector":[2.0],"metadata":{"a":1,"b":2}}"#, #"{"id":2,"vector":[2.0]}"#])
        _ = try await ingest(row(1, #"{"b":3}"#))
        #expect(try await Command.run(["get", file.string, "1", "--json"]).lines
            == [#"{"id":1,"vector":[1.0],"metadata":{"b":3}}"#])
        _ = try await ingest(row(1, "{}"))
        #expect(try await Command.run(["get", file.string, "1", "--json"]).lines == [#"{"id":1,"vector":[1.0]}"#])
    }

    @Test("numbers take the type of their field where that changes nothing")
    func numberTypes() async throws {
        let first = try await ingest(
            #"[{"id":1,"vector":[1],"metadata":{"x":2,"u":3}},{"id":2,"vector":[1],"metadata":{"x":0.5,"u":18446744073709551615}}]"#)
        #expect(first.code == 0, "\(first.errors)")
        #expect(try await ingest(row(3, #"{"x":7,"u":1}"#)).code == 0)
        #expect(try await Command.run(["get", file.string, "3", "--json"]).lines
            == [#"{"id":3,"vector":[1.0],"metadata":{"u":1,"x":7.0}}"#])
        let refused = try await ingest(row(4, #"{"x":"text"}"#))
        #expect(refused.code == 1)
        #expect((refused.jsonError["message"] as? String)?.contains("field x") == true, "\(refused.errors)")
        let status = try await Command.run(["status", file.string, "--json"])
        let fields = status.json["metadataFields"] as? [[String: String]]
        #expect(fields == [["name": "u", "type": "uint64"], ["name": "x", "type": "double"]])
        #expect(status.json["fileMetadata"] as? Int == 0)
        #expect(try await Command.run(["status", file.string]).output.contains("u (uint64), x (double)"))
    }

    @Test("what is no metadata is refused, names the place, and its batch is not committed", arguments: [
        (#"{"a":[1]}"#, "list or an object"), (#"{"a":{"b":1}}"#, "list or an object"), (#"{"a":1,"a":2}"#, "stands twice"),
        (#"{"a":1e999}"#, "too large"), (#"{"a":-1e999}"#, "too large"), (#"{"a":18446744073709551616}"#, "64 bits"),
        (#"{"a":"\ud800"}"#, "not Unicode"), (#"{"a":"\ud800\u0041"}"#, "not Unicode"), ("7", "for the metadata"),
        (#"{"a":NaN}"#, "NaN"), (#"{"a":tru}"#, "true"), (#"{"a"}"#, "`:`"),
        (#"{"a":1},"metadata":{}"#, "stands twice"),
    ])
    func refused(_ metadata: String, _ expected: String) async throws {
        let result = try await ingest(
            #"[{"id":1,"vector":[1]},{"id":2,"vector":[1],"metadata":\#(metadata)}]"#, "--batch-size", "2")
        #expect(result.code == 1)
        #expect((result.jsonError["message"] as? String)?.contains(expected) == true, "\(result.errors)")
        #expect(result.jsonError["row"] as? Int == 1)
        #expect(try await Command.run(["status", file.string, "--json"]).json["vectors"] as? Int == 0)
    }

    @Test("where metadata is damaged, vectors are printed all the same")
    func damaged() async throws {
        _ = try await ingest(row(1, #"{"a":"some text"}"#))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file.string))
        let place = try #require(bytes.firstRange(of: Data("some text".utf8)))
        bytes[place.lowerBound] ^= 1
        try bytes.write(to: URL(fileURLWithPath: file.string))
        let got = try await Command.run(["get", file.string, "1", "--json"])
        #expect(got.code == 5)
        #expect(got.lines == [#"{"id":1,"vector":[1.0]}"#])
        #expect(got.jsonError["code"] as? String == "damaged")
        #expect(try await Command.run(["get", file.string, "1"]).code == 0)
        let status = try await Command.run(["status", file.string])
        #expect(status.code == 0)
        #expect(status.output.contains("the store's metadata is not available"))
    }
}
