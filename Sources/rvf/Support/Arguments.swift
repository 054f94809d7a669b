public import ArgumentParser
public import SystemPackage

extension FilePath: @retroactive ExpressibleByArgument {
    public init?(argument: String) {
        guard !argument.isEmpty else { return nil }
        self.init(argument)
    }
}

/// A number of seconds, whole or not.
struct Seconds: ExpressibleByArgument {
    var duration: Duration

    init?(argument: String) {
        // More than a century is not meant, and would not fit into nanoseconds.
        guard let number = Double(argument), number >= 0, number < 4e9 else { return nil }
        duration = .seconds(number)
    }
}

struct WaitOption: ParsableArguments {
    @Option(help: ArgumentHelp("Wait at most this long for a lock that is held.", valueName: "seconds"))
    var wait: Seconds?
}

struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON, a line for each event.")
    var json = false

    var console: Console { Console(isJSON: json) }
}
