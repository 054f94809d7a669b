import RVFHost
import RVFStore
import RVFTestSupport
import Synchronization
import SystemPackage
import Testing

@Suite("Creating in a damaged file's place, disturbed")
struct ReplaceDamagedFaultTests {
    private let scene = DamagedScene()
    private var scratch: Scratch { scene.scratch }
    private var path: FilePath { scene.path }

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
        let old = Array(DamagedScene.empty.prefix(64))
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
            let error = scene.create(host)
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
                    guard case .notCreated(path, scene.aside, _) = error else {
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
            let again = scene.create()
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
        #expect(scene.create(host) == nil)
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
        return scene.create(host)
    }

    @Test("a store that somebody completes in the meantime keeps its name", arguments: [HostCall.linkUnnamed, .renameExclusively])
    func completedMeanwhile(_ kind: HostCall) throws {
        try scratch.write([UInt8](repeating: 0, count: 162))
        let scratch = scratch
        #expect(create(before: kind) { try scratch.write(DamagedScene.store) } == .exists(path, .store))
        #expect(try scratch.read() == DamagedScene.store)
        #expect(scratch.names == ["data.rvf"])
    }

    @Test("a store that somebody puts in the file's place in the meantime keeps its name", arguments: [HostCall.syncData, .renameExclusively])
    func replacedMeanwhile(_ kind: HostCall) throws {
        try scratch.write([])
        let (scratch, path) = (scratch, path)
        let error = create(before: kind) {
            try scratch.write(DamagedScene.store, to: "new")
            try FileManagement.rename(scratch("new"), to: path)
        }
        #expect(error != nil)
        #expect(try scratch.read() == DamagedScene.store)
        #expect(scratch.names == ["data.rvf"])
    }

    @Test("a file that comes to be at any moment of a create is not replaced, and not touched", arguments: [false, true])
    func appearedMeanwhile(_ replacesDamaged: Bool) throws {
        var (index, refusals) = (0, 0)
        while true {
            let host = FaultyHost(base: POSIXHost())
            let (scratch, path, appearing) = (scratch, path, index)
            let hasAppeared = Flag()
            host.script.intercept { call in
                guard call.index == appearing, !scratch.names.contains("data.rvf") else { return nil }
                hasAppeared.set()
                #expect(throws: Never.self) { try scratch.write(DamagedScene.store) }
                return nil
            }
            let error = scene.create(host, replacesDamaged: replacesDamaged)
            if hasAppeared.isSet {
                refusals += 1
                #expect(error != nil, "call \(index)")
                #expect(try scratch.read() == DamagedScene.store, "call \(index)")
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
