import ArgumentParser
import RVFLock
import RVFStore
import SystemPackage

struct Ingest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Add rows to a store, or replace those of the same ids.",
        discussion: """
            Reads a JSON array of rows, {"id": 17, "vector": [0.25, …]}, and commits them a batch at a time. What is \
            printed after a commit is durable then. A row that cannot be taken ends the command; its batch is not \
            committed, earlier ones are. SIGTERM, SIGINT and SIGHUP end it between two commits.

            A row can have "metadata": {"name": value, …}, which is then all the metadata that the id has; without, \
            it keeps what it has. Values are strings, numbers, true, false and null; all of one name are of one type.

            With --json a line is {"accepted":…,"epoch":…} for each commit, and, where --compact has compacted, \
            {"event":"compacted","bytesBefore":…,"bytesAfter":…,"epoch":…} at the end. A compaction that fails leaves \
            all commits as they are, and its failure ends the command.

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @Option(name: .shortAndLong, help: ArgumentHelp("Where the rows are; - for standard input.", valueName: "rows.json"))
    var input: FilePath
    @Option(help: ArgumentHelp("How many rows make a commit.", valueName: "n"))
    var batchSize = 1000
    @Option(help: ArgumentHelp("Wait at most this long for a lock that is held.", valueName: "seconds"))
    var wait: Seconds?
    @Flag(help: "Leave a witness of every commit, chained to the one before.")
    var witness = false
    @Flag(help: "At the end, compact the store if half of the file and a mebibyte or more would be freed.")
    var compact = false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard batchSize > 0 else { throw ValidationError("A batch has at least one row; --batch-size is \(batchSize).") }
    }

    func run() throws(Failure) {
        let interruption = try Interruption()
        // Before the lock, so that a misspelt name keeps nobody out.
        let bytes = try ByteInput(input, interruption: interruption)
        var options = WriterOptions()
        options.lock = .command(output.console, interruption, wait: wait?.duration)
        options.witnesses = witness
        var writer: StoreWriter
        do throws(StoreError) {
            writer = try StoreWriter.open(at: store.file, options: options)
        } catch {
            throw Failure(error)
        }
        var reader = try RowReader(bytes, dimension: writer.snapshot().dimension)
        var progress = Progress(epoch: writer.snapshot().epoch)
        do throws(Failure) {
            while try commitNext(of: &reader, to: &writer, &progress) {
                if interruption.isRequested { throw Failure.interrupted }
            }
        } catch {
            // The writer gives its lock back when it goes.
            throw progress.completing(error)
        }
        sayIgnored(reader.ignoredFields)
        if compact { try compactIfDue(&writer, interruption, progress) }
        do throws(StoreError) { try writer.close() } catch { throw Failure(error) }
        if !output.json { try output.console.say(progress.text(into: store.file), json: .null) }
    }

    private func compactIfDue(
        _ writer: inout StoreWriter, _ interruption: Interruption, _ progress: Progress
    ) throws(Failure) {
        var triggers = CompactionTriggers()
        triggers.byteCount = 1 << 20
        triggers.work.cancellation = interruption.work
        let report: CompactionReport?
        do throws(StoreError) {
            report = try writer.compactIfDue(triggers)
        } catch {
            throw progress.completing(Failure(error))
        }
        guard let report else { return }
        try output.console.say(
            "\(store.file): compacted from \(report.byteCountBefore) to \(report.byteCount) bytes",
            json: .object([
                ("event", "compacted"), ("bytesBefore", .unsigned(report.byteCountBefore)),
                ("bytesAfter", .unsigned(report.byteCount)), ("epoch", .epoch(writer.snapshot().epoch)),
            ]))
    }

    /// False at the end of the input.
    private func commitNext(
        of reader: inout RowReader, to writer: inout StoreWriter, _ progress: inout Progress
    ) throws(Failure) -> Bool {
        let batch = try reader.next(atMost: batchSize)
        guard !batch.ids.isEmpty else { return false }
        do throws(StoreError) {
            var transaction = Transaction()
            transaction.upsert(ids: batch.ids, components: batch.components)
            if !batch.metadata.isEmpty {
                let numbers = NumberTypes(try writer.snapshot().metadataFields, batch.metadata.map(\.fields))
                for (id, fields) in batch.metadata { transaction.setMetadata(numbers.convert(fields), for: id) }
            }
            try writer.commit(transaction)
        } catch {
            throw Failure(error, inBatchFrom: batch.firstRow)
        }
        progress.rows += batch.ids.count
        progress.commits += 1
        progress.epoch = writer.snapshot().epoch
        if output.json {
            try output.console.say(
                "",
                json: .object([
                    ("accepted", .integer(Int64(batch.ids.count))), ("epoch", .integer(Int64(progress.epoch))),
                ]))
        }
        return true
    }

    private func sayIgnored(_ fields: Set<String>) {
        if fields.isEmpty { return }
        let list = fields.sorted()
        output.console.note(
            "only \"id\", \"vector\" and \"metadata\" are stored; passed over: \(list.joined(separator: ", "))",
            json: .object([("event", "ignoredFields"), ("fields", .array(list.map { .string($0) }))]))
    }
}

/// What has been committed so far.
private struct Progress {
    var rows = 0
    var commits = 0
    var epoch: UInt32

    init(epoch: UInt32) { self.epoch = epoch }

    func text(into file: FilePath) -> String {
        "\(file): \(counted(rows, "row")) in \(counted(commits, "commit")), epoch \(epoch)"
    }

    /// Says what stands in spite of a failure.
    func completing(_ failure: Failure) -> Failure {
        var failure = failure
        guard rows > 0, !failure.message.isEmpty else { return failure }
        failure.message = "\(failure.line); the \(rows) rows before are committed (epoch \(epoch))"
        failure.details.append(("committedRows", .integer(Int64(rows))))
        failure.details.append(("epoch", .integer(Int64(epoch))))
        return failure
    }
}

extension Failure {
    /// Counts the row from the beginning of the input, since nobody sees where a batch begins.
    fileprivate init(_ error: StoreError, inBatchFrom firstRow: Int) {
        guard case .invalidRow(_, let index, let id, let problem) = error else {
            self.init(error)
            return
        }
        var text = "\(problem)"
        if case .repeatedID(let first) = problem { text = "has the id of row \(firstRow + first) in the same batch" }
        self.init(
            .failed, code: "invalidRow", "row \(firstRow + index) (counted from 0), id \(id), \(text)",
            details: [("row", .integer(Int64(firstRow + index))), ("id", .unsigned(id))])
    }
}
