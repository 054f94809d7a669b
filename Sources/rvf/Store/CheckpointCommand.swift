import ArgumentParser
import RVFStore
import SystemPackage

struct CheckpointGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Say or set how far a source of events has been taken into a store.",
        discussion: Outcome.help,
        subcommands: [CheckpointGet.self, CheckpointSet.self])
}

struct CheckpointGet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Print the checkpoints of a store, a line for each.",
        discussion: "Takes no lock. A source that the store does not know is an error, with exit code 1.\n\n\(Outcome.help)")

    @OptionGroup var store: StoreArgument
    @Option(help: ArgumentHelp("Only this source.", valueName: "name"))
    var source: String?
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let snapshot = try store.snapshot()
        let all: [Checkpoint]
        do throws(StoreError) {
            if let source {
                all = try snapshot.checkpoint(source: source).map { [$0] } ?? []
            } else {
                all = try snapshot.checkpoints
            }
        } catch {
            throw Failure(error)
        }
        if let source, all.isEmpty {
            throw Failure(
                .failed, code: "notFound", "\(store.file) has no checkpoint of \"\(source)\"",
                details: [("source", .string(source))])
        }
        for checkpoint in all { try output.console.say(checkpoint.line, json: checkpoint.json) }
    }
}

struct CheckpointSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Set the checkpoint of a source, in a commit of its own.",
        discussion: """
            A count never goes back, and the same count has the same offset, unless --restore says that it is meant. \
            --remove forgets the source. What is printed is durable.

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @Option(help: ArgumentHelp("The source's name, 1 to 255 bytes.", valueName: "name"))
    var source: String
    @Option(help: ArgumentHelp("How many events of the source are in the store.", valueName: "n"))
    var count: UInt64?
    @Option(help: ArgumentHelp("Where the source goes on, up to 4096 bytes.", valueName: "text"))
    var offset: String?
    @Option(help: ArgumentHelp("The offset as hexadecimal digits.", valueName: "hex"))
    var offsetHex: HexadecimalBytes?
    @Flag(help: "Set it whatever the store has.")
    var restore = false
    @Flag(help: "Forget the source.")
    var remove = false
    @Option(help: ArgumentHelp("Wait at most this long for a lock that is held.", valueName: "seconds"))
    var wait: Seconds?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if offset != nil, offsetHex != nil { throw ValidationError("Give --offset or --offset-hex, not both.") }
        if remove {
            guard count == nil, offset == nil, offsetHex == nil, !restore else {
                throw ValidationError("--remove goes with --source alone.")
            }
        } else if count == nil {
            throw ValidationError("Missing expected argument '--count <n>'.")
        }
    }

    func run() throws(Failure) {
        let interruption = try Interruption()
        var options = WriterOptions()
        options.lock = .command(output.console, interruption, wait: wait?.duration)
        let checkpoint = Checkpoint(
            source: source, count: count ?? 0, offset: offsetHex?.bytes ?? Array((offset ?? "").utf8))
        do throws(StoreError) {
            var writer = try StoreWriter.open(at: store.file, options: options)
            try writer.commit(transaction(checkpoint))
            try writer.close()
        } catch {
            throw Failure(error)
        }
        if remove {
            try output.console.say(
                "\(source): removed", json: .object([("source", .string(source)), ("removed", .bool(true))]))
        } else {
            try output.console.say(checkpoint.line, json: checkpoint.json)
        }
    }

    private func transaction(_ checkpoint: Checkpoint) -> Transaction {
        var transaction = Transaction()
        let (source, count, offset) = (checkpoint.source, checkpoint.count, checkpoint.offset)
        if remove {
            transaction.removeCheckpoint(source: source)
        } else if restore {
            transaction.restoreCheckpoint(source: source, count: count, offset: offset)
        } else {
            transaction.setCheckpoint(source: source, count: count, offset: offset)
        }
        return transaction
    }
}

/// Bytes as pairs of hexadecimal digits.
struct HexadecimalBytes: ExpressibleByArgument {
    var bytes: [UInt8] = []

    init?(argument: String) {
        let digits = argument.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count.isMultiple(of: 2) else { return nil }
        for position in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[position], let low = digits[position + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
    }
}

extension Checkpoint {
    /// The offset as text, where it is UTF-8.
    private var offsetText: String? { String(validating: offset, as: UTF8.self) }

    private var offsetDigits: String {
        offset.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    var line: String {
        let events = "\(source): \(count) \(count == 1 ? "event" : "events")"
        guard !offset.isEmpty else { return events }
        // What would move a terminal's cursor is not printed there.
        let isPrintable = offset.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        return events + ", offset " + (isPrintable ? offsetText ?? "0x" + offsetDigits : "0x" + offsetDigits)
    }

    var json: JSON {
        var fields: [(name: String, value: JSON)] = [("source", .string(source)), ("count", .unsigned(count))]
        if let offsetText { fields.append(("offset", .string(offsetText))) }
        fields.append(("offsetHex", .string(offsetDigits)))
        return .object(fields)
    }
}
