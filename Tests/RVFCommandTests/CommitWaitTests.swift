import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

@Suite("Waiting for the commits of another process", .timeLimit(.minutes(2)))
struct CommitWaitTests: ~Copyable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    @Test("commits of another process are seen as they come, and the changes between them add up")
    func otherProcess() async throws {
        #expect(try await Command.run(["create", file.string, "-d", "2"]).code == 0)
        let reader = try StoreReader(at: file)
        let commits = reader.commits()
        let first = reader.snapshot()
        let waiting = Task {
            var ids: Set<UInt64> = []
            var last = first
            for try await snapshot in commits {
                let changes = try snapshot.changes(since: last)
                #expect(changes.replaced.isEmpty && changes.removed.isEmpty)
                #expect(ids.isDisjoint(with: changes.added))
                ids.formUnion(changes.added)
                last = snapshot
                if ids.count == 100 { break }
            }
            return last.epoch
        }
        let rows = (0..<100).map { "{\"id\":\($0),\"vector\":[\($0),1]}" }.joined(separator: ",")
        let result = try await Command.run(["ingest", file.string, "-i", "-", "--batch-size", "1"], input: "[\(rows)]")
        #expect(result.code == 0)
        #expect(try await waiting.value == 100)
    }
}
