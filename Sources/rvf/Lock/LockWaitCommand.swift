import ArgumentParser
import RVFHost
import RVFLock
import SystemPackage

struct LockWaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until the file is not locked.",
        discussion: """
            Only looks: the lock may be taken again a moment later. To have it, use `rvf lock hold --wait`. \
            A stale lock counts as free, since the next writer takes it over.

            \(Outcome.help) Here 3 means that the time is over.
            """)

    @Argument(help: "The file that the lock protects.")
    var file: FilePath
    @Option(help: ArgumentHelp("Give up after this time; wait forever without it.", valueName: "seconds"))
    var timeout: Seconds?
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let clock = ContinuousClock()
        let deadline = timeout.map { clock.now + $0.duration }
        // Before the first look, so that no change falls between the two.
        let watch = DirectoryWatch(of: file)
        while true {
            let status = LockStatus(of: file)
            switch status.state {
            case .free, .stale: return try output.console.say("\(status)", json: status.json)
            case .unreadable(let error): throw Failure(error)
            case .held, .initialising: break
            }
            let left = deadline.map { $0 - clock.now }
            if let left, left <= .zero { throw timeOver(status) }
            watch.pause(atMost: left)
        }
    }

    private func timeOver(_ status: LockStatus) -> Failure {
        Failure(
            .heldByAnother, code: "held", "the time is over: \(status)",
            details: [("holder", .holder(status.holder))])
    }
}

/// Waits for a change of a file's lock: told by the file system where it can, else for a moment.
private struct DirectoryWatch: ~Copyable {
    private let host = POSIXHost()
    private let names: [FilePath]
    private let watch: FileDescriptor?

    init(of file: FilePath) {
        let name = file.lastComponent?.string ?? ""
        // The protected file too: its kernel lock is what is left of a holder whose lock file was removed.
        names = [FilePath(name + ".lock"), FilePath(name)]
        let directory = file.removingLastComponent()
        watch = try? host.watch(directory.isEmpty ? "." : directory, for: .endings)
    }

    deinit {
        if let watch { host.unwatch(watch) }
    }

    /// Never for long: nothing tells of a record that grows old, nor, where the lock file was made without a name,
    /// of its holder's death.
    func pause(atMost limit: Duration?) {
        let slice = min(limit ?? .seconds(1), .milliseconds(100))
        let nanoseconds = Int64(slice / .nanoseconds(1))
        guard let watch else { return host.sleep(nanoseconds: nanoseconds) }
        do throws(Errno) {
            if try host.awaitChange(watch, of: names, timeoutNanoseconds: nanoseconds) {
                // The kernel tells of a close a moment before it drops the lock.
                host.sleep(nanoseconds: 2_000_000)
            }
        } catch {
            host.sleep(nanoseconds: nanoseconds)
        }
    }
}
