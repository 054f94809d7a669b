import RVFLock
import Synchronization
import SystemPackage

/// Counts who is inside. Safe to use from any thread.
private final class TaskReferee: Sendable {
    struct Counts {
        var inside = 0
        var most = 0
        var served = 0
        var cancelled = 0
        var failed: [String] = []
    }

    private let counts = Mutex(Counts())

    func change(_ body: (inout sending Counts) -> Void) { counts.withLock { body(&$0) } }
    var result: Counts { counts.withLock { $0 } }

    func enterAndLeave(_ path: FilePath) async {
        do throws(LockError) {
            let lock = try await WriterLock.acquire(protecting: path, options: LockOptions(wait: .forever))
            change {
                $0.inside += 1
                $0.most = max($0.most, $0.inside)
                $0.served += 1
            }
            try lock.validate()
            change { $0.inside -= 1 }
            try lock.release()
        } catch {
            change {
                if case .cancelled = error { $0.cancelled += 1 } else { $0.failed.append("\(error)") }
            }
        }
    }
}

/// `tasks <path> count=… cancel=…`: that many tasks wait for the lock at once, some are cancelled; says how many
/// were served, how many cancelled, and whether two ever had it together.
@concurrent func runTasks(_ path: FilePath, _ settings: Settings) async {
    let referee = TaskReferee()
    Lines.say("ready")
    _ = Lines.next()
    let before = openDescriptors()
    let tasks = (0..<settings.number("count", 40)).map { _ in
        Task { await referee.enterAndLeave(path) }
    }
    for task in tasks.prefix(settings.number("cancel", 15)) { task.cancel() }
    Lines.say("cancelled")
    for task in tasks { await task.value }
    let result = referee.result
    Lines.say(
        "done served=\(result.served) cancelled=\(result.cancelled) most=\(result.most) failed=\(result.failed)"
            + " kept=\(openDescriptors() - before)")
}
