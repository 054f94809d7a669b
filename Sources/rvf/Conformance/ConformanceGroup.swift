import ArgumentParser

struct ConformanceGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance",
        abstract: "Test another implementation of the lock, or files that another writer made.",
        discussion: Outcome.help,
        subcommands: [ConformanceLock.self, ConformanceStore.self, ConformanceSpeak.self])
}
