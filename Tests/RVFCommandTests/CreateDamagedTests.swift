import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

@Suite("create --replace-damaged")
final class CreateDamagedTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func create(_ more: String...) async throws -> Command.Result {
        try await Command.run(["create", file.string, "-d", "3"] + more)
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.file(name).string)))
    }

    private struct Case {
        var bytes: [UInt8]
        /// What the message says is there.
        var text: String
        var word: String
    }

    @Test("what an interrupted create left is told and named the way out; with the flag it is moved aside")
    func interruptedCreates() async throws {
        #expect(try await create().code == 0)
        let header = Array(try bytes("data.rvf").prefix(64))
        let cases = [
            Case(bytes: [], text: "an empty file", word: "emptyFile"),
            Case(bytes: [UInt8](repeating: 0, count: 162), text: "162 zero bytes", word: "zeros"),
            Case(bytes: header, text: "begins like a store", word: "brokenStore"),
        ]
        for (number, each) in cases.enumerated() {
            try directory.write(each.bytes, to: "data.rvf")
            let plain = try await create()
            #expect(plain.code == 1)
            #expect(plain.errors.contains(each.text))
            #expect(plain.errors.contains("--replace-damaged"))
            #expect(try await create("--json").jsonError["found"] as? String == each.word)
            #expect(try bytes("data.rvf") == each.bytes)

            let name = "data.rvf.damaged-\(number + 1)"
            let result = try await create("--replace-damaged", "--json")
            #expect(result.code == 0)
            #expect(result.json["movedTo"] as? String == directory.file(name).string)
            #expect(try bytes(name) == each.bytes)
            #expect(try await Command.run(["status", file.string]).code == 0)
        }
        #expect(directory.names == ["data.rvf"] + (1...3).map { "data.rvf.damaged-\($0)" })
    }

    @Test("a store that can be read stays, and so does what never was one; neither is told of the flag")
    func readable() async throws {
        #expect(try await create().code == 0)
        let store = try bytes("data.rvf")
        for bytes in [store, Array("notes".utf8)] {
            try directory.write(bytes, to: "data.rvf")
            for flags in [[], ["--replace-damaged"]] {
                let result = try await Command.run(["create", file.string, "-d", "3"] + flags)
                #expect(result.code == 1)
                #expect(!result.errors.contains("--replace-damaged"))
                #expect(try self.bytes("data.rvf") == bytes)
            }
        }
        #expect(directory.names == ["data.rvf"])
    }

    @Test("people are told where the old file went, and scripts that there was none")
    func notice() async throws {
        try directory.write([], to: "data.rvf")
        #expect(try await create("--replace-damaged").output.contains("\(file).damaged-1"))
        try FileManager.default.removeItem(atPath: file.string)
        let plain = try await create("--replace-damaged", "--json")
        #expect(plain.code == 0)
        #expect(plain.json["movedTo"] is NSNull)
    }

    @Test("a file that is locked stays, with 3")
    func locked() async throws {
        try directory.write([], to: "data.rvf")
        _ = try await Command.run(["lock", "hold", file.string]) { holder in
            _ = try await holder.line()
            #expect(try await create("--replace-damaged").code == 3)
            try holder.send(.terminate)
        }
        #expect(directory.names == ["data.rvf"])
    }
}
