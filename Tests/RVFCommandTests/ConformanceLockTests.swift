import Foundation
import RVFTestSupport
import SystemPackage
import Testing

@Suite("conformance lock")
final class ConformanceLockTests: Sendable {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// The results by name, and the command's code.
    private func run(
        _ command: [String], _ arguments: [String] = []
    ) async throws -> (code: Int32?, results: [String: [String: Any]], last: [String: Any]) {
        let all =
            ["conformance", "lock", "--json", "--contention", "0.4", "--directory", directory.path.string] + arguments
            + ["--"] + command
        let result = try await Command.run(all)
        let objects = result.lines.map(JSONText.object)
        var named: [String: [String: Any]] = [:]
        for object in objects { if let name = object["name"] as? String { named[name] = object } }
        #expect(directory.names.filter { $0.hasPrefix("rvf-conformance") } == [], "the kit leaves nothing behind")
        return (result.code, named, objects.last ?? [:])
    }

    private func failed(_ results: [String: [String: Any]]) -> [String: String] {
        results.filter { $0.value["verdict"] as? String == "fail" }.mapValues { $0["details"] as? String ?? "" }
    }

    private static let speak = [Command.path.string, "conformance", "speak"]

    @Test("this implementation passes everything")
    func ours() async throws {
        let junit = directory.file("report.xml")
        let (code, results, last) = try await run(Self.speak, ["--junit", junit.string])
        #expect(failed(results) == [:])
        #expect(code == 0)
        #expect(last["failed"] as? Int == 0)
        // On overlayfs and the like there is no guard byte, and what rests on it does not apply.
        #expect(results.count > 50)
        let document = try String(contentsOfFile: junit.string, encoding: .utf8)
        #expect(document.hasPrefix("<?xml"))
        #expect(document.contains(#"tests="\#(results.count)" failures="0""#))
    }

    @Test("a naive peer fails where it is known to, and nowhere else")
    func naive() async throws {
        // With luck it passes these.
        let races = ["contention", "contention-over-stale", "contention-with-rvf", "contention-with-rvf-over-stale"]
        let (code, results, _) = try await run(
            [Probe.executable, "naive-speak", "-"], ["--limit", "3"] + races.flatMap { ["--skip", $0] })
        #expect(code == 1)
        #expect(
            failed(results).keys.sorted() == [
                "bad-checksum-fresh", "empty-fresh", "fifo", "symbolic-link-to-record", "version-2",
            ])
        #expect(results["status-free"]?["verdict"] as? String == "not applicable")
        #expect(results["dead-31s"]?["verdict"] as? String == "pass")
        #expect((failed(results)["fifo"] ?? "").contains("did not answer"))
    }

    @Test("naive peers that race for a stale lock are caught with two holders")
    func race() async throws {
        // A race that this machine may need some tries to show.
        for _ in 0..<10 {
            let (code, results, _) = try await run(
                [Probe.executable, "naive-speak", "-"], ["--only", "contention", "--only", "contention-over-stale"])
            if code == 1 {
                #expect(!failed(results).isEmpty)
                return
            }
        }
        Issue.record("no two naive peers ever had the lock at once")
    }

    private static let script: FilePath = {
        let package = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        return package.appending("spec").appending("conformance-peer.sh")
    }()

    @Test(
        "mistakes that are made in the peer in bash are found",
        arguments: [
            ("holds() {", "holds() { return 0;", ["release-overwritten", "release-replaced", "validate-replaced"]),
            ("$(little $$ 4)", "$(little 1 4)", ["record"]),
            ("${id}01000000", "${id}02000000", ["record"]),
            ("tail -c 8 | head -c 4", "tail -c 4", ["record"]),
            ("id=$(head -c 16 /dev/urandom | hex)", "id=000102030405060708090a0b0c0d0e0f", ["writer-id"]),
            ("echo ok guard=0", "echo ok guard=1", ["record"]),
            ("[ $seconds -gt 300 ]", "[ $seconds -gt 200 ]", ["other-host-299s"]),
            ("[ $seconds -gt 300 ]", "[ $seconds -gt 320 ]", ["other-host-301s"]),
            ("&& [ $seconds -gt 30 ]", "&& [ $seconds -gt 20 ]", ["dead-29s"]),
            ("! kill -0 \"$(number 4 4)\" 2>/dev/null &&", "", ["live-31s"]),
            ("[ \"${bytes:192:8}\" != 01000000 ] && return 1", "", ["version-2"]),
            ("rm -f \"$lock\"; echo ok", "echo ok", ["introduction"]),
        ])
    func mistakes(right: String, wrong: String, scenarios: [String]) async throws {
        let text = try String(contentsOfFile: Self.script.string, encoding: .utf8)
        try #require(text.contains(right))
        let peer = try directory.write(Array(text.replacingOccurrences(of: right, with: wrong).utf8), to: "peer.sh")
        let (code, results, _) = try await run(["bash", peer.string], scenarios.flatMap { ["--only", $0] })
        #expect(code == 1)
        #expect(failed(results).keys.sorted() == scenarios, "\(failed(results))")
    }

    @Test("a peer in bash passes all but the races that it is known for")
    func shell() async throws {
        let skipped = ["contention-over-stale", "contention-with-rvf-over-stale", "again-and-again"]
        let (code, results, _) = try await run(["bash", Self.script.string], skipped.flatMap { ["--skip", $0] })
        #expect(failed(results) == [:])
        #expect(code == 0)
        #expect(results["contention-with-rvf"]?["verdict"] as? String == "pass")
    }

    @Test(
        "whatever a peer does, the kit ends and says what was wrong",
        arguments: [
            (["sh", "-c", "yes"], "said more than it was asked"),
            (["sh", "-c", "read x; echo ok; yes"], "no lock file"),
            (["sh", "-c", "read x; tr '\\0' x </dev/zero"], "without an end of line"),
            (["sleep", "60"], "did not answer"),
            (["cat"], "answered `acquire"),
            (["true"], "ended"),
            (["sh", "-c", "read x; echo held"], "did not get the free lock"),
            (["/nonexistent/peer"], "cannot be started"),
        ])
    func hostile(command: [String], evidence: String) async throws {
        let (code, results, last) = try await run(command, ["--limit", "1", "--only", "record"])
        #expect(code == 1)
        let why = failed(results)["introduction"] ?? ""
        // What floods may be seen to do so before it is asked, or by its answer.
        #expect(why.contains(evidence) || why.contains("by “y”") || why.contains("ended"), "\(why)")
        #expect(last["notApplicable"] as? Int == 1)
    }

    @Test("what a peer has started goes with it")
    func descendants() async throws {
        let mark = directory.file("child")
        let script = "sleep 300 & echo $! > '\(mark)'; read x; echo held; wait"
        _ = try await run(["sh", "-c", script], ["--only", "record"])
        let child = try #require(Int32(try String(contentsOfFile: mark.string, encoding: .utf8).dropLast()))
        // Dead, or dead and not yet reaped by whoever does that here.
        let state = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8))?.split(separator: " ")
        #expect(state == nil || state?[2] == "Z")
    }

    @Test("the usage is checked, and the scenarios are listed")
    func usage() async throws {
        #expect(try await Command.run(["conformance", "lock"]).code == 2)
        #expect(try await Command.run(["conformance", "lock", "--only", "nothing", "--", "true"]).code == 2)
        let list = try await Command.run(["conformance", "lock", "--list"])
        #expect(list.code == 0)
        #expect(list.lines.first == "introduction")
        #expect(Set(list.lines).count == list.lines.count)
    }
}
