import RVFLock
import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// A helper that process-level tests spawn, talk to by lines, and kill.

let arguments = CommandLine.arguments
guard arguments.count >= 3 else {
    Lines.say("usage: rvf-probe <role> <path> [key=value …]")
    exit(64)
}
// A test that has gone is noticed at the next read, not by a signal.
signal(SIGPIPE, SIG_IGN)
let path = FilePath(arguments[2])
let settings = Settings(arguments.dropFirst(3))

switch arguments[1] {
case "session": Session(path: path, settings: settings).run()
case "naive": runNaiveSession(arguments[2])
case "naive-speak": runNaiveSpeaker()
case "naive-contend": try runNaiveContender(arguments[2], settings)
case "contend":
    var contender = try Contender(path, settings)
    contender.run()
case "churn": try runChurn(path, settings)
case "onlook":
    var onlooker = Onlooker()
    onlooker.run(path, settings)
case "life": try Life(path: path, settings: settings).run()
case "tasks": await runTasks(path, settings)
case "descriptors": runDescriptors()
case "find": try runFind(path, settings)
case "keep":
    var keeper = Keeper(path, settings)
    keeper.run()
case "look":
    var looker = Looker(path, settings)
    looker.run()
case "follow":
    var follower = Follower(path, settings)
    follower.run()
case "create": try runCreator(path, settings)
case "find-created": try runCreationFollower(path)
default:
    Lines.say("unknown role \(arguments[1])")
    exit(64)
}
