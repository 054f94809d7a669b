import ArgumentParser
import RVFStore
import SystemPackage

struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make an empty store.",
        discussion: "Whatever stands at the path already is left as it is, and that is an error.\n\n\(Outcome.help)")

    @OptionGroup var store: StoreArgument
    @Option(name: .shortAndLong, help: ArgumentHelp("How many numbers a vector has, 1 to 65535.", valueName: "n"))
    var dimension: Int
    @Option(name: .shortAndLong, help: "How searches measure distance.")
    var metric: MetricName = .l2
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (1...65_535).contains(dimension) else {
            throw ValidationError("The dimension is \(dimension); 1 to 65535 are possible.")
        }
    }

    func run() throws(Failure) {
        let interruption = try Interruption()
        var options = WriterOptions()
        options.lock = .command(output.console, interruption, wait: nil)
        do throws(StoreError) {
            try StoreWriter.create(at: store.file, dimension: dimension, metric: metric.metric, options: options).close()
        } catch {
            throw Failure(error)
        }
        try output.console.say(
            "created \(store.file): dimension \(dimension), metric \(metric.rawValue)",
            json: .object([
                ("path", .string(store.file.string)), ("dimension", .integer(Int64(dimension))),
                ("metric", .string(metric.rawValue)),
            ]))
    }
}

/// The metrics by the names that people type.
enum MetricName: String, ExpressibleByArgument, CaseIterable {
    case l2, ip, cosine

    var metric: Metric {
        switch self {
        case .l2: .squaredL2
        case .ip: .innerProduct
        case .cosine: .cosine
        }
    }
}
