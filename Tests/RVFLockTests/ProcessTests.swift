import RVFTestSupport
import SystemPackage
import Testing

/// Tests with real processes. One after the other, all of them: they load the machine, and some count on being
/// scheduled.
@Suite(.serialized) enum ProcessTests {}

/// The directory of one test, with a protected file in it or not.
struct Place: ~Copyable {
    let directory: TemporaryDirectory
    let path: FilePath

    init(hasFile: Bool = true, in parent: FilePath? = nil) throws {
        let directory = try TemporaryDirectory(in: parent)
        if hasFile { try directory.write(Array("vectors".utf8), to: "data.rvf") }
        path = directory.file("data.rvf")
        self.directory = directory
    }

    var record: SeenRecord? { SeenRecord(of: path) }

    /// Names in the directory beside the protected file and its lock.
    var litter: [String] { directory.names.filter { $0 != "data.rvf" && $0 != "data.rvf.lock" && !$0.hasSuffix(".log") } }

    /// Starts a process that has read its arguments and waits for commands.
    func session(
        _ settings: [String] = [], through wrapper: [String] = [], environment: [String: String] = [:]
    ) throws -> Probe {
        let probe = try Probe("session", path, settings, through: wrapper, environment: environment)
        _ = try probe.awaitLine(startingWith: "ready")
        return probe
    }

    /// Starts a process that holds the lock.
    func holder(_ settings: [String] = []) throws -> Probe {
        let probe = try session(settings)
        let answer = try probe.ask("acquire")
        try #require(answer.hasPrefix("held"), "\(answer)")
        return probe
    }

    /// Whether another process gets the lock now, and gives it back.
    func canBeTaken(by probe: borrowing Probe, sourceLocation: SourceLocation = #_sourceLocation) throws -> Bool {
        let answer = try probe.ask("acquire")
        guard answer.hasPrefix("held") else {
            Issue.record("not to be had: \(answer)", sourceLocation: sourceLocation)
            return false
        }
        let released = try probe.ask("release")
        return released == "ok"
    }
}
