import RVFHost
import RVFLock
import RVFReference
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

/// A store before an operation, the operation, and what has to hold however it fails.
struct FailingScene {
    struct Counts {
        var calls = 0
        var runs = 0
        var refusals = 0
    }

    private typealias Writer = StoreWriterCore<FaultyHost<RecordingHost>>

    private let operation: FailingOperation
    private let scratch = Scratch(inMemory: true)
    /// The bytes of the store that are durable, and those that can be read.
    private var durableBytes: [UInt8] = []
    private var bytes: [UInt8] = []
    /// What is acknowledged as durable before the operation, what can be seen, and what the operation makes of it.
    private var durable = StoreModel()
    private var visible = StoreModel()
    private var after = StoreModel()
    private var path: FilePath { scratch("data.rvf") }

    init(_ operation: FailingOperation) throws {
        self.operation = operation
        if operation != .create {
            try prepare()
            durable = try content(of: durableBytes)
        }
        let medium = try begin()
        var writer = try prelude(medium.host())
        if operation != .create { visible = try found() }
        let error = perform(medium.host(), &writer)
        #expect(error == nil)
        after = try found()
    }

    private func found() throws -> StoreModel { try StoreModel(StoreReader(at: path).snapshot()) }

    private func content(of bytes: [UInt8]) throws -> StoreModel {
        try StoreModel(StoreReader(at: scratch.write(bytes, to: "image.rvf")).snapshot())
    }

    // MARK: The operation

    private var options: WriterOptions {
        var options = WriterOptions()
        options.lock.renewal = .manual
        // So that there are many segments, some of them with indexes.
        options.limits.segmentByteCount = 8000
        options.limits.indexedByteCount = 2000
        if operation == .compactAutomatically {
            var triggers = CompactionTriggers()
            (triggers.share, triggers.byteCount, triggers.interval) = (0.1, 1, .zero)
            options.compaction = .automatic(triggers)
        }
        return options
    }

    /// Makes the file as it is before the writer of the operation opens it.
    private mutating func prepare() throws {
        var writer = try StoreWriter.create(at: path, dimension: 3)
        // So many that one more is merged with them.
        for id in 1...(operation == .merge ? 9 : 3) as ClosedRange<UInt64> { try writer.append(batch(rows([id], dimension: 3))) }
        var transaction = Transaction()
        transaction.delete(ids: [2])
        transaction.setMetadata("n", to: 7, for: 1)
        transaction.setCheckpoint(source: "queue", count: 3, offset: [1])
        if operation != .merge { try writer.commit(transaction) }
        durableBytes = try scratch.read()
        if operation == .openUnsynced {
            try writer.append(batch(rows(20...120, dimension: 3)), options: CommitOptions(durability: .none))
        }
        bytes = try scratch.read()
        if operation == .openHidden {
            // A process ended before its manifest, and other readers cannot find the one before any more.
            bytes += [UInt8](repeating: 0, count: 70_000)
            durableBytes = bytes
        }
        try writer.close()
    }

    /// Opens the store and does what comes before the operation; nothing where opening is the operation.
    private func prelude(_ host: FaultyHost<RecordingHost>) throws -> Writer? {
        switch operation {
        case .create, .open, .openHidden, .openUnsynced: return nil
        default: break
        }
        var writer = try open(host)
        if operation == .sync {
            for id in 30...31 as ClosedRange<UInt64> {
                var transaction = Transaction()
                transaction.upsert(batch(rows([id], dimension: 3)))
                try writer.commit(transaction, options: CommitOptions(durability: .none))
            }
        }
        return writer
    }

    private func open(_ host: FaultyHost<RecordingHost>) throws(StoreError) -> Writer {
        try Writer.open(host: host, registry: LockRegistry(), path: path, options: options)
    }

    private func perform(_ host: FaultyHost<RecordingHost>, _ writer: inout Writer?) -> StoreError? {
        do throws(StoreError) {
            switch operation {
            case .create:
                writer = try Writer.create(
                    host: host, registry: LockRegistry(), path: path, dimension: 3, metric: .squaredL2, options: options)
            case .open, .openHidden, .openUnsynced: writer = try open(host)
            case .close: writer = nil
            case .sync: try writer?.sync()
            case .compact: _ = try writer?.compact(WorkOptions())
            default: try writer?.commit(transaction, options: CommitOptions(durability: durability))
            }
            return nil
        } catch {
            return error
        }
    }

    private var durability: CommitOptions.Durability {
        switch operation {
        case .appendSingleSync: .singleSync
        case .appendUnsynced: .none
        default: .ordered
        }
    }

    private var transaction: Transaction {
        var transaction = Transaction()
        switch operation {
        case .delete: transaction.delete(ids: [1, 3])
        case .metadata:
            transaction.setMetadata("text", to: "new", for: 3)
            transaction.setCheckpoint(source: "queue", count: 4, offset: [2])
        case .appendMuch: transaction.upsert(batch(rows(100...1000, dimension: 3)))
        default: transaction.upsert(batch(rows([1, 40], dimension: 3, version: 1)))
        }
        return transaction
    }

    // MARK: Failing

    /// The file as it is before, and what is known to be on the medium.
    private func begin() throws -> Medium {
        for name in scratch.names { try FileManagement.remove(scratch(name)) }
        var medium = Medium()
        if operation != .create { try medium.begin(with: scratch.write(bytes), durable: durableBytes, written: bytes) }
        return medium
    }

    func failEveryCall(_ counts: inout Counts) throws {
        let medium = try begin()
        let host = medium.host()
        var writer = try prelude(host)
        host.script.reset()
        _ = perform(host, &writer)
        let kinds = host.script.log.map(\.kind)
        _ = consume writer
        counts.calls = kinds.count
        for (index, kind) in kinds.enumerated() {
            for misbehaviour in Misbehaviour.all(of: kind) {
                for isSuccessor in [false, true] {
                    counts.runs += 1
                    let note = "\(operation), call \(index), a \(kind): \(misbehaviour), \(isSuccessor ? "another process" : "")"
                    do {
                        if try fail(index, kind, misbehaviour, isSuccessor, note) { counts.refusals += 1 }
                    } catch {
                        Issue.record("\(note): \(error)")
                    }
                }
            }
        }
    }

    /// - Parameter isSuccessor: whether the process ends after the failure, and another one goes on.
    /// - Returns: whether the operation was refused.
    private func fail(
        _ index: Int, _ kind: HostCall, _ misbehaviour: Misbehaviour, _ isSuccessor: Bool, _ note: String
    ) throws -> Bool {
        let medium = try begin()
        let host = medium.host()
        var writer = try prelude(host)
        host.script.reset()
        medium.misbehave(host, at: index, misbehaviour)
        let error = perform(host, &writer)
        host.script.intercept(nil)
        let allowed = error == nil ? [after] : [durable, visible, after]
        if operation != .create || scratch.names.contains("data.rvf") {
            #expect(try allowed.contains(found()), "\(note), \(String(describing: error)): is read")
            // A power cut now leaves what was acknowledged.
            let left = try content(of: medium.durable(path))
            let isDurable = error == nil && operation != .appendUnsynced && operation != .close
            #expect(isDurable ? left == after : allowed.contains(left) || left == durable, "\(note): is durable")
        }
        if let rows = try writer?.liveRows() {
            let expected = error == nil ? [after] : [durable, visible]
            #expect(expected.map(\.content.rows).contains(rows), "\(note): the writer goes on from something else")
        }
        if !isSuccessor, try goOn(&writer, medium, note) { return error != nil }
        // Whatever a process does when it ends, the files do not see it.
        host.script.intercept { $0.kind.changesSomething ? .ioError : nil }
        writer = nil
        var next: Writer?
        let successor = medium.host()
        if scratch.names.contains("data.rvf") {
            #expect(try allowed.contains(found()), "\(note): is read later")
            next = try open(successor)
        } else {
            next = try Writer.create(
                host: successor, registry: LockRegistry(), path: path, dimension: 3, metric: .squaredL2, options: options)
        }
        let isGoingOn = try goOn(&next, medium, note)
        #expect(isGoingOn, "\(note): there is no next commit")
        #expect(host.script.wrongCloses.isEmpty && successor.script.wrongCloses.isEmpty, "\(note)")
        return error != nil
    }

    /// The next commit, and what has to be found after it, also after a power cut.
    ///
    /// - Returns: false where the writer is none any more.
    private func goOn(_ writer: inout Writer?, _ medium: Medium, _ note: String) throws -> Bool {
        guard let before = try writer?.liveRows() else { return false }
        do throws(StoreError) {
            try writer?.append(batch(rows([77], dimension: 3)))
        } catch {
            if case .lostLock = error { return false }
            throw error
        }
        var expected = before
        expected[77] = rows([77], dimension: 3)[0].1
        let seen = try found()
        #expect(seen.content.rows == expected, "\(note): after the next commit")
        #expect(try ReferenceStore(at: path).rows == expected, "\(note): to other readers, after the next commit")
        #expect(try content(of: medium.durable(path)) == seen, "\(note): the next commit is not durable")
        #expect(try StoreVerification.run(at: scratch("image.rvf")).isIntact, "\(note): what is durable has damage")
        if try medium.isFirst(path) {
            #expect(try Array(scratch.read().prefix(bytes.count)) == bytes, "\(note): bytes of the store were changed")
        }
        return true
    }
}

extension StoreWriterCore {
    fileprivate func liveRows() throws(StoreError) -> [UInt64: [Float]] {
        var rows: [UInt64: [Float]] = [:]
        try snapshot.forEachRow(onDamage: .refuse) { rows[$0] = $1.array() }
        return rows
    }
}
