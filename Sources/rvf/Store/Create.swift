import ArgumentParser
import RVFStore
import SystemPackage

struct Create: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make an empty store.",
        discussion: """
            Whatever stands at the path already is left as it is, and that is an error. What another program's create \
            left when it was interrupted can be neither opened nor created again: with --replace-damaged such a file \
            is moved to the first free name of <file>.damaged-1, -2 and so on, and the store is made. A store that can \
            be read never is.

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @Option(name: .shortAndLong, help: ArgumentHelp("How many numbers a vector has, 1 to 65535.", valueName: "n"))
    var dimension: Int
    @Option(name: .shortAndLong, help: "How searches measure distance.")
    var metric: MetricName = .l2
    @Flag(help: "Move a file aside that was meant to be a store and cannot be read as one.")
    var replaceDamaged = false
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
        options.replacesDamaged = replaceDamaged
        let writer: StoreWriter
        do throws(StoreError) {
            writer = try StoreWriter.create(at: store.file, dimension: dimension, metric: metric.metric, options: options)
        } catch {
            throw Self.failure(error)
        }
        let displaced = writer.displacedFile
        let notice = displaced.map { "; what was there before is \($0) now" } ?? ""
        try output.console.say(
            "created \(store.file): dimension \(dimension), metric \(metric.rawValue)" + notice,
            json: .object([
                ("path", .string(store.file.string)), ("dimension", .integer(Int64(dimension))),
                ("metric", .string(metric.rawValue)), ("movedTo", .string(displaced?.string)),
            ]))
        do throws(StoreError) { try writer.close() } catch { throw Failure(error) }
    }

    /// Names the way out where there is one.
    private static func failure(_ error: StoreError) -> Failure {
        var failure = Failure(error)
        if case .exists(_, let found) = error, found.isReplaceable {
            failure.message += " With --replace-damaged it is moved aside, and the store is created."
        }
        return failure
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
