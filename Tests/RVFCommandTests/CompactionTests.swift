import Foundation
import RVFTestSupport
import Subprocess
import SystemPackage
import Testing

@Suite("ingest --compact, and a compaction that is killed")
final class CompactionTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    /// The same hundred rows of a kilobyte again and again, each time a commit.
    private func ingest(times: Int, _ more: String...) async throws -> Command.Result {
        let zeros = String(repeating: ",0", count: 255)
        let rows = (0..<times).flatMap { time in
            (1...100).map { #"{"id":\#($0),"vector":[\#(time)\#(zeros)]}"# }
        }
        return try await Command.run(
            ["ingest", file.string, "-i", "-", "--batch-size", "100"] + more,
            input: "[\(rows.joined(separator: ","))]")
    }

    @Test("ingest --compact compacts where much would be freed, and says so; else it does not")
    func ingestAndCompact() async throws {
        #expect(try await Command.run(["create", file.string, "-d", "256"]).code == 0)
        let first = try await ingest(times: 2, "--compact", "--json")
        #expect(first.code == 0 && first.lines.count == 2, "\(first.errors)")
        let second = try await ingest(times: 25, "--compact", "--json")
        #expect(second.code == 0 && second.lines.count == 26, "\(second.errors)")
        let report = JSONText.object(second.lines.last ?? "")
        #expect(report["event"] as? String == "compacted" && report["epoch"] as? Int == 28)
        let before = try #require(report["bytesBefore"] as? Int)
        let after = try #require(report["bytesAfter"] as? Int)
        #expect(before > 1 << 20 && after < before / 2)
        let status = try await Command.run(["status", file.string, "--json"])
        #expect(status.json["bytes"] as? Int == after && status.json["vectors"] as? Int == 100)
        #expect(try await Command.run(["verify", file.string]).code == 0)
        let text = try await ingest(times: 25, "--compact")
        #expect(text.lines.count == 2 && text.lines[0].contains("compacted from "))
    }

    @Test("a killed compaction leaves the store as it was, and a private file that a later writer sweeps")
    func killed() async throws {
        #expect(try await Command.run(["create", file.string, "-d", "256"]).code == 0)
        #expect(try await ingest(times: 2).code == 0)
        let before = try Data(contentsOf: URL(fileURLWithPath: file.string))
        let result = try await Command.run(["compact", file.string, "--rate", "20000"]) { running in
            // At this rate it takes half a minute, in which its file is there.
            while !directory.names.contains(where: { $0.hasPrefix(".rvf-") }) {
                try await Task.sleep(for: .milliseconds(5))
            }
            try running.send(.kill)
        }
        #expect(result.code == nil)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file.string)) == before)
        let left = try #require(directory.names.first { $0.hasPrefix(".rvf-") })
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -31)], ofItemAtPath: directory.file(left).string)
        #expect(try await Command.run(["delete", file.string, "--ids", "1"]).code == 0)
        #expect(directory.names == ["data.rvf"])
    }
}
