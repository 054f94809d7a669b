import ArgumentParser
import RVFLock
import SystemPackage

struct LockStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say who holds the lock, and how that is known.",
        discussion: "Takes no lock and changes nothing. Exits with 0 whatever the state is; see `state` in the JSON.")

    @Argument(help: "The file that the lock protects.")
    var file: FilePath
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let status = LockStatus(of: file)
        try output.console.say("\(status)", json: status.json)
    }
}
