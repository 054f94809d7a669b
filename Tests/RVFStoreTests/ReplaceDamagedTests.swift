import RVFHost
import RVFLock
import RVFStore
import RVFTestSupport
import Synchronization
import SystemPackage
import Testing

@Suite("Creating in a damaged file's place")
struct ReplaceDamagedTests {
    private let scratch = Scratch()
    private var path: FilePath { scratch("data.rvf") }
    private var aside: FilePath { scratch("data.rvf.damaged-1") }

    private static func options() -> WriterOptions {
        var options = WriterOptions()
        options.lock.renewal = .manual
        options.replacesDamaged = true
        return options
    }

    private func create(_ host: FaultyHost<POSIXHost>) -> StoreError? {
        let path = path
        return storeError { () throws(StoreError) in
            _ = try StoreWriterCore.create(
                host: host, registry: LockRegistry(), path: path, dimension: 7, metric: .cosine, options: Self.options())
        }
    }

    private func createWithoutFaults() -> StoreError? { create(FaultyHost(base: POSIXHost())) }

    /// A store of one row, and forms of it.
    private static let store: [UInt8] = {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows([5], dimension: 3))
        return peer.file
    }()
    private static let empty = ReferenceWriter(dimension: 3).file

    /// What creates and damage leave: each can be neither opened nor, otherwise, created again.
    private static let broken: [[UInt8]] = [
        [], [UInt8](repeating: 0, count: 162), [UInt8](repeating: 0, count: 3 << 20), Array(empty.prefix(64)),
        Array(empty.prefix(40)), Array(empty.prefix(4)), Array(empty.prefix(120)),
        Array(empty.prefix(64)) + [UInt8](repeating: 0, count: 98), Array(store[162..<250]),
    ]

    @Test("what can be no store is moved aside whole, and the new store has its name", arguments: broken.indices)
    func replaces(_ number: Int) throws {
        let old = Self.broken[number]
        try scratch.write(old)
        guard case .exists(_, let found)? = storeError({ () throws(StoreError) in
            try StoreWriter.create(at: path, dimension: 7).close()
        }) else {
            Issue.record("was not refused without the option")
            return
        }
        #expect(found.isReplaceable)
        #expect(try scratch.read() == old)
        let writer = try StoreWriter.create(at: path, dimension: 7, options: Self.options())
        #expect(writer.displacedFile == aside)
        try writer.close()
        #expect(try scratch.read("data.rvf.damaged-1") == old)
        #expect(try StoreReader(at: path).snapshot().dimension == 7)
        #expect(scratch.names == ["data.rvf", "data.rvf.damaged-1"])
    }

    @Test("what is there is told apart, for people too")
    func kinds() throws {
        func kind(_ bytes: [UInt8]) throws -> ExistingFile? {
            try scratch.write(bytes, to: "kind")
            let error = storeError { () throws(StoreError) in
                try StoreWriter.create(at: scratch("kind"), dimension: 7).close()
            }
            if case .exists(_, let found)? = error { return found } else { return nil }
        }
        #expect(try kind([]) == .emptyFile)
        #expect(try kind([0]) == .zeros(byteCount: 1))
        #expect(try kind(Self.broken[1]) == .zeros(byteCount: 162))
        #expect(try kind(Self.broken[1])?.description.contains("162 zero bytes") == true)
        #expect(try kind(Array(Self.empty.prefix(64)))?.description.contains("begins like a store") == true)
        #expect(try kind(Self.store) == .store)
        #expect(try kind([0, 0, 0, 1]) == .somethingElse(.noManifest(nearest: nil)))
    }

    @Test("a store that can be read, here or perhaps elsewhere, and what never was one are never moved")
    func keeps() throws {
        // Manifests of a later version, without a hash, and with one of a kind that is not known.
        var (later, unhashed, foreign) = (Self.empty, Self.empty, Self.empty)
        later[4] = 2
        unhashed.replaceSubrange(0x28..<0x38, with: [UInt8](repeating: 0, count: 16))
        foreign[0x30] ^= 1
        let kept = [Self.store, Self.store + [1, 2, 3], later, unhashed, foreign, Array("hello".utf8)]
        for bytes in kept {
            try scratch.write(bytes)
            guard case .exists(_, let found)? = createWithoutFaults() else {
                Issue.record("was not refused")
                continue
            }
            #expect(!found.isReplaceable)
            #expect(try scratch.read() == bytes)
            #expect(scratch.names == ["data.rvf"])
        }
    }

    @Test("names that are taken are passed over, and nothing there is touched")
    func takenNames() throws {
        for number in 1...3 {
            try scratch.write([UInt8(number)])
            try FileManagement.move(path, to: scratch("data.rvf.damaged-\(number)"))
        }
        try scratch.write([])
        let writer = try StoreWriter.create(at: path, dimension: 7, options: Self.options())
        #expect(writer.displacedFile == scratch("data.rvf.damaged-4"))
        try writer.close()
        for number in 1...3 { #expect(try scratch.read("data.rvf.damaged-\(number)") == [UInt8(number)]) }
    }

    @Test("where nothing is in the way, the option changes nothing")
    func nothingThere() throws {
        let writer = try StoreWriter.create(at: path, dimension: 7, options: Self.options())
        #expect(writer.displacedFile == nil)
        try writer.close()
        #expect(scratch.names == ["data.rvf"])
    }

    @Test("a file that somebody has the lock of, or a link, stays")
    func lockedOrLinked() throws {
        try scratch.write([])
        let lock = try WriterLock.acquire(protecting: path)
        guard case .lock(.held)? = createWithoutFaults() else {
            Issue.record("was not refused")
            return
        }
        try lock.release()
        try FileManagement.move(path, to: scratch("other"))
        try FileManagement.link(path, to: "other")
        #expect(createWithoutFaults() == .lock(.notAFile(path, .symbolicLink)))
        #expect(scratch.names == ["data.rvf", "other"])
    }

    // MARK: Faults

    /// The old bytes stand under exactly one of the two names, and the store's name leads to them, to a whole new
    /// store, or nowhere.
    private func expectNothingLost(_ old: [UInt8], _ note: Comment) throws {
        let names = scratch.names
        let isAside = names.contains("data.rvf.damaged-1")
        if isAside {
            #expect(try scratch.read("data.rvf.damaged-1") == old, note)
            if names.contains("data.rvf") { #expect(try StoreReader(at: path).snapshot().dimension == 7, note) }
        } else {
            #expect(try scratch.read() == old, note)
        }
        #expect(!names.contains("data.rvf.damaged-2"), note)
    }

    @Test(
        "whichever call fails, or the last that a process makes, the old file is whole under one of its names, and the next create succeeds",
        arguments: [false, true], [false, true])
    func everyCall(_ allFrom: Bool, _ hasUnnamedFiles: Bool) throws {
        let old = Array(Self.empty.prefix(64))
        var (index, failures, wereAside) = (0, 0, 0)
        while true {
            try scratch.write(old)
            let host = FaultyHost(base: POSIXHost())
            if !hasUnnamedFiles { host.script.update { $0.unsupported[.openUnnamed] = .notSupported } }
            let failing = index
            host.script.intercept { call in
                let fails = allFrom ? call.index >= failing : call.index == failing
                return fails && call.kind != .close && call.kind != .sleep ? .ioError : nil
            }
            let error = create(host)
            let calls = host.script.callCount
            host.script.intercept(nil)
            let note: Comment = "call \(index), \(String(describing: error)), \(scratch.names)"
            try expectNothingLost(old, note)
            let isAside = scratch.names.contains("data.rvf.damaged-1")
            if let error {
                failures += 1
                if isAside { wereAside += 1 }
                // Whoever can still tell says where the old file is, unless the new store is there.
                if isAside, !allFrom, !scratch.names.contains("data.rvf") {
                    guard case .notCreated(path, aside, _) = error else {
                        Issue.record(note)
                        continue
                    }
                }
            } else {
                #expect(isAside, note)
            }
            #expect(host.script.wrongCloses.isEmpty, note)
            #expect(host.script.openDescriptors.isEmpty, note)
            // What is left of the lock is stale: its guard is gone.
            let again = createWithoutFaults()
            if case .exists(_, .store)? = again {} else { #expect(again == nil, note) }
            try expectNothingLost(old, note)
            #expect(try StoreReader(at: path).snapshot().dimension == 7, note)
            for name in scratch.names { try FileManagement.remove(scratch(name)) }
            index += 1
            if index > calls { break }
        }
        #expect(failures > 10)
        #expect(wereAside > 0)
    }

    @Test("the move is durable before the new store has the name, and the new store before both")
    func order() throws {
        try scratch.write([])
        let host = FaultyHost(base: POSIXHost())
        #expect(create(host) == nil)
        let log = host.script.log.map(\.kind)
        let move = try #require(log.firstIndex(of: .renameExclusively))
        let name = try #require(log.lastIndex(of: .linkUnnamed))
        #expect(log[..<move].contains(.syncData))
        #expect(!log[move...].contains(.write))
        #expect(log[move..<name].contains(.sync))
        #expect(log[name...].contains(.sync))
    }

    // MARK: Others who ask for no lock

    /// Does something before the first call of a kind.
    private func create(before kind: HostCall, _ action: @escaping @Sendable () throws -> Void) -> StoreError? {
        let host = FaultyHost(base: POSIXHost())
        host.script.intercept { call in
            guard call.kind == kind else { return nil }
            host.script.intercept(nil)
            #expect(throws: Never.self) { try action() }
            return nil
        }
        return create(host)
    }

    @Test("a store that somebody completes in the meantime keeps its name", arguments: [HostCall.linkUnnamed, .renameExclusively])
    func completedMeanwhile(_ kind: HostCall) throws {
        try scratch.write([UInt8](repeating: 0, count: 162))
        let scratch = scratch
        #expect(create(before: kind) { try scratch.write(Self.store) } == .exists(path, .store))
        #expect(try scratch.read() == Self.store)
        #expect(scratch.names == ["data.rvf"])
    }

    @Test("a store that somebody puts in the file's place in the meantime keeps its name", arguments: [HostCall.syncData, .renameExclusively])
    func replacedMeanwhile(_ kind: HostCall) throws {
        try scratch.write([])
        let (scratch, path) = (scratch, path)
        let error = create(before: kind) {
            try scratch.write(Self.store, to: "new")
            try FileManagement.rename(scratch("new"), to: path)
        }
        #expect(error != nil)
        #expect(try scratch.read() == Self.store)
        #expect(scratch.names == ["data.rvf"])
    }

    @Test("a file that comes to be at any moment of a create is not replaced, and not touched", arguments: [false, true])
    func appearedMeanwhile(_ replacesDamaged: Bool) throws {
        var options = Self.options()
        options.replacesDamaged = replacesDamaged
        var (index, refusals) = (0, 0)
        while true {
            let host = FaultyHost(base: POSIXHost())
            let (scratch, path, appearing) = (scratch, path, index)
            let hasAppeared = Flag()
            host.script.intercept { call in
                guard call.index == appearing, !scratch.names.contains("data.rvf") else { return nil }
                hasAppeared.set()
                #expect(throws: Never.self) { try scratch.write(Self.store) }
                return nil
            }
            let error = storeError { () throws(StoreError) in
                _ = try StoreWriterCore.create(
                    host: host, registry: LockRegistry(), path: path, dimension: 7, metric: .cosine, options: options)
            }
            if hasAppeared.isSet {
                refusals += 1
                #expect(error != nil, "call \(index)")
                #expect(try scratch.read() == Self.store, "call \(index)")
                #expect(scratch.names == ["data.rvf"], "call \(index)")
            } else {
                #expect(error == nil, "call \(index)")
            }
            try FileManagement.remove(path)
            index += 1
            if index > host.script.callCount { break }
        }
        #expect(refusals > 10)
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
