import RVFHost
import RVFLock
import RVFReference
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

/// Whoever gave a store its name may have been killed before the name was durable. What power cuts make of that is tried on
/// the simulated disk.
@Suite("Names that need not be durable")
struct NameDurabilityTests {
    private typealias Writer = StoreWriterCore<FaultyHost<POSIXHost>>

    private let scratch = Scratch()
    private let host = FaultyHost(base: POSIXHost())

    private func store() throws -> FilePath {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows(1...3, dimension: 3))
        return try scratch.write(peer.file)
    }

    private func writer(_ path: FilePath) throws -> Writer {
        var options = WriterOptions()
        options.lock.renewal = .manual
        return try Writer.open(host: host, registry: LockRegistry(), path: path, options: options)
    }

    /// The calls of one commit.
    private func commit(
        _ writer: inout Writer, _ id: UInt64, _ durability: CommitOptions.Durability = .ordered
    ) throws(StoreError) -> [HostScript.Call] {
        host.script.reset()
        var transaction = Transaction()
        transaction.upsert(batch(rows([id], dimension: 3)))
        try writer.commit(transaction, options: CommitOptions(durability: durability))
        return host.script.log
    }

    @Test("the first commit that is to be durable syncs the directory before it is, and no other does")
    func firstCommit() throws {
        var writer = try writer(store())
        #expect(try !commit(&writer, 10, .none).contains { $0.kind == .sync })
        let calls = try commit(&writer, 11).map(\.kind)
        let (sync, last) = (try #require(calls.firstIndex(of: .sync)), try #require(calls.lastIndex(of: .syncData)))
        #expect(sync < last)
        #expect(try !commit(&writer, 12).contains { $0.kind == .sync })
    }

    @Test("where the path is a link, the directory is that of the file")
    func link() throws {
        let path = try store()
        let elsewhere = Scratch()
        let link = elsewhere("link.rvf")
        try FileManagement.link(link, to: path.string)
        var writer = try writer(link)
        let directory = try host.base.openDirectory(path.removingLastComponent())
        defer { host.base.close(directory) }
        let identity = try host.base.status(of: directory).identity
        #expect(try commit(&writer, 10).compactMap(\.directory) == [identity])
    }

    @Test("elsewhere it is the one in which the lock was taken, wherever its path leads by now")
    func changedPath() throws {
        var writer = try writer(store())
        let calls = try commit(&writer, 10)
        #expect(!calls.contains { [.openDirectory, .resolve].contains($0.kind) })
        #expect(calls.contains { $0.kind == .sync })
    }

    @Test("who made the store, or compacted it, has synced the directory already")
    func known() throws {
        var options = WriterOptions()
        options.lock.renewal = .manual
        var writer = try Writer.create(
            host: host, registry: LockRegistry(), path: scratch("data.rvf"), dimension: 3, metric: .squaredL2, options: options)
        #expect(try !commit(&writer, 10).contains { $0.kind == .sync })
        _ = try writer.compact(WorkOptions())
        #expect(try !commit(&writer, 11).contains { $0.kind == .sync })
    }

    @Test("a directory that nobody can sync, or not this user, keeps nobody from writing",
        arguments: [Errno.permissionDenied, .invalidArgument, .notSupported])
    func notPossible(_ errno: Errno) throws {
        let path = try store()
        var writer = try writer(path)
        let call: HostCall = errno == .permissionDenied ? .open : .sync
        host.script.intercept { $0.kind == call ? errno : nil }
        _ = try commit(&writer, 10)
        #expect(try StoreReader(at: path).rows()[10] != nil)
    }

    @Test("where the sync fails, nothing is committed, the message says so, and the next commit tries again")
    func fails() throws {
        let path = try store()
        var writer = try writer(path)
        _ = try commit(&writer, 9, .none)
        let before = try scratch.read()
        host.script.intercept { $0.kind == .sync ? .ioError : nil }
        let error = storeError { () throws(StoreError) in try commit(&writer, 10) }
        #expect(error == .system(.syncName, path, .ioError))
        #expect(error?.description.hasPrefix("Could not make durable the name of \(path): ") == true)
        #expect(try scratch.read() == before)
        #expect(try StoreReader(at: path).rows()[9] != nil)
        host.script.intercept(nil)
        #expect(try commit(&writer, 10).contains { $0.kind == .sync })
        #expect(try StoreReader(at: path).rows()[9] != nil && StoreReader(at: path).rows()[10] != nil)
    }

    @Test("a commit of nothing, or a sync, makes durable what was found, and writes no byte that was not there")
    func found() throws {
        let path = try store()
        let before = try scratch.read()
        for isSync in [false, true] {
            var writer = try writer(path)
            host.script.reset()
            var transaction = Transaction()
            transaction.delete(ids: [77])
            if isSync { try writer.sync() } else { try writer.commit(transaction) }
            #expect(host.script.log.count { $0.kind == .syncData } == 1)
            host.script.reset()
            if isSync { try writer.sync() } else { try writer.commit(transaction) }
            #expect(!host.script.log.contains { $0.kind == .syncData })
            #expect(try scratch.read() == before)
            _ = consume writer
        }
    }
}
