import Foundation
import RVFTestSupport
import SystemPackage
import Testing

@Suite("inspect")
final class InspectTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func types() async throws -> [String] {
        let result = try await Command.run(["inspect", file.string, "--json"])
        #expect(result.code == 0, "\(result.errors)")
        return result.lines.compactMap { JSONText.object($0)["type"] as? String }
    }

    @Test("private types have a name where their payload says that they are this program's, else a number")
    func privateTypes() async throws {
        #expect(try await Command.run(["create", file.string, "-d", "1", "-m", "cosine"]).code == 0)
        // Twelve bytes a row: more than the 64 KiB from which on a segment has an index.
        let rows = (1...6000).map { #"{"id":\#($0),"vector":[1]}"# }.joined(separator: ",")
        let result = try await Command.run(
            ["ingest", file.string, "-i", "-", "--batch-size", "6000"], input: "[\(rows)]")
        #expect(result.code == 0, "\(result.errors)")
        #expect(try await Command.run(["checkpoint", "set", file.string, "--source", "s", "--count", "1"]).code == 0)
        let own = try await types()
        for name in ["checkpoints", "row index", "metric"] { #expect(own.contains(name), "\(own)") }

        // Of another program, for which the numbers mean something else; the last is shorter than any magic.
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file.string))
        for (type, payload) in [(0xF0, [UInt8](repeating: 7, count: 90)), (0xF1, Array("something".utf8)), (0xF2, [1])] {
            bytes += Data([0x53, 0x46, 0x56, 0x52, 1, UInt8(type), 0, 0]) + Data(count: 8)
            bytes += Data([UInt8(payload.count)]) + Data(count: 47) + Data(payload)
        }
        try directory.write(Array(bytes), to: "data.rvf")
        #expect(try await types() == own + ["type 0xf0", "type 0xf1", "type 0xf2"])
    }
}
