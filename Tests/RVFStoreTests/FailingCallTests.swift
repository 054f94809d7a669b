import Testing

/// Every call that an operation makes fails once, with each error that it can have, on a medium that forgets what a
/// failed sync was to write, although it can still be read and a later sync succeeds.
@Suite("Calls that fail")
struct FailingCallTests {
    @Test(
        "whichever call fails, nothing acknowledged is lost, nothing that failed counts, and the next commit stands, in this process or the next",
        arguments: FailingOperation.allCases)
    func everyCall(_ operation: FailingOperation) throws {
        let scene = try FailingScene(operation)
        var counts = FailingScene.Counts()
        try scene.failEveryCall(&counts)
        print("failing calls: \(operation), \(counts.calls) calls, \(counts.runs) runs, \(counts.refusals) refused")
        #expect(counts.refusals > 0 || operation == .close)
    }
}

/// What is cut short by a failure.
enum FailingOperation: String, CaseIterable, Sendable {
    case create, appendOrdered, appendSingleSync, appendUnsynced, appendMuch, delete, metadata, merge, sync, compact
    case compactAutomatically, open, openHidden, openUnsynced, close
}
