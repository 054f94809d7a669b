import ArgumentParser
import RVFStore
import Synchronization
import SystemPackage

/// A long piece of work on a store: how far it is, and how it ends early.
struct WorkArguments: ParsableArguments {
    @Flag(help: "Say on standard error how far it is, also where that is no terminal.")
    var progress = false
    @Option(
        help: ArgumentHelp("Read and write no more than this many bytes a second, together.", valueName: "bytes"))
    var rate: UInt64?

    func validate() throws {
        if rate == 0 { throw ValidationError("With --rate 0 nothing would ever be done.") }
    }

    /// Does the work. A signal cancels it.
    func run<Value>(
        _ console: Console, _ interruption: Interruption, _ body: (WorkOptions) throws(StoreError) -> Value
    ) throws(Failure) -> Value {
        let isTerminal = Process.isTerminal(.standardError)
        let meter = progress || isTerminal ? ProgressMeter(console, isTerminal: isTerminal) : nil
        defer { meter?.end() }
        var options = WorkOptions()
        options.cancellation = interruption.work
        options.bytesPerSecond = rate
        if let meter { options.progress = { meter.show($0) } }
        do throws(StoreError) { return try body(options) } catch { throw Failure(error) }
    }
}

/// Says how far a piece of work is, at every percent: on a terminal in one line, else each on its own. Safe to use from
/// any thread.
private final class ProgressMeter: Sendable {
    private let console: Console
    private let usesOneLine: Bool
    private let percent = Mutex<Int?>(nil)

    init(_ console: Console, isTerminal: Bool) {
        self.console = console
        usesOneLine = isTerminal && !console.isJSON
    }

    func show(_ progress: StoreProgress) {
        let share = Double(progress.doneByteCount) / Double(max(progress.totalByteCount, 1))
        let now = Int(share * 100)
        guard percent.withLock({ last in
            defer { last = now }
            return last != now
        }) else { return }
        if usesOneLine {
            try? Console.write("\rrvf: \(now) %", to: .standardError)
        } else {
            console.note(
                "\(now) %",
                json: .object([
                    ("event", "progress"), ("doneBytes", .unsigned(progress.doneByteCount)),
                    ("totalBytes", .unsigned(progress.totalByteCount)),
                ]))
        }
    }

    /// Leaves no trace on a terminal.
    func end() {
        guard usesOneLine, percent.withLock({ $0 != nil }) else { return }
        // ANSI's "erase to the end of the line", which every terminal knows.
        try? Console.write("\r\u{1B}[K", to: .standardError)
    }
}
