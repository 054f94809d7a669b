import ArgumentParser
import RVFLock
import SystemPackage

struct LockAdopt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Take the lock from a process that hands it over, and keep it.",
        discussion: """
            The other process runs `rvf lock hold <file> --hand-over <socket>`. At no instant is the lock free. \
            From then on this is as `rvf lock hold`.

            \(Outcome.help)
            """)

    @Argument(help: "The file that the lock protects.")
    var file: FilePath
    @Option(help: ArgumentHelp("Where the holder listens.", valueName: "socket"))
    var from: FilePath
    @OptionGroup var holding: HoldingOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if from == holding.handOver {
            throw ValidationError("Take over and hand over at different sockets: the predecessor removes its own.")
        }
    }

    func run() throws(Failure) {
        let interruption = try Interruption()
        let lock: WriterLock
        do throws(LockError) {
            // Ending here is safe: before this process confirms the predecessor goes on; after that a dead
            // holder's lock is taken over.
            interruption.beginExiting(.failed)
            defer { interruption.endExiting() }
            lock = try WriterLock.adopt(
                protecting: file, from: from, options: .command(output.console, interruption, wait: nil))
        } catch {
            throw Failure(error)
        }
        try Holding(file: file, options: holding, console: output.console, interruption: interruption).run(lock)
    }
}
