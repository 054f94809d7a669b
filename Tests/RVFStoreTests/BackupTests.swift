import RVFHost
import RVFLock
import RVFReference
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

@Suite("Copies of a store")
struct BackupTests {
    private let scratch = Scratch()

    @Test("a backup opens at its snapshot, byte for byte, while a writer goes on")
    func backup() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 3)
        try writer.append(batch(rows(1...20, dimension: 3)))
        let reader = try StoreReader(at: path)
        let at = try scratch.read()
        try writer.append(batch(rows(30...40, dimension: 3)))
        let report = try reader.backup(to: scratch("copy.rvf"))
        #expect(try scratch.read("copy.rvf") == at)
        #expect(report.byteCount == UInt64(at.count) && report.epoch == 1)
        #expect(try ReferenceStore(at: scratch("copy.rvf")).rows == dictionary(rows(1...20, dimension: 3)))
        #expect(
            storeError { () throws(StoreError) in try reader.backup(to: scratch("copy.rvf")) }
                == .exists(scratch("copy.rvf"), .store))
        try scratch.write([1], to: "text")
        #expect(
            storeError { () throws(StoreError) in try reader.backup(to: scratch("text")) }
                == .exists(scratch("text"), .somethingElse(.noManifest(nearest: nil))))
        #expect(scratch.names == ["copy.rvf", "data.rvf", "data.rvf.lock", "text"])
    }

    @Test("witnesses behind the manifest are copied, an unfinished commit is not")
    func tail() throws {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows(1...5, dimension: 3))
        peer.witness("one", listed: false)
        peer.witness("two", listed: false)
        let end = peer.file.count
        peer.segment(1, peer.vectorPayload(rows(50...60, dimension: 3)), listed: false)
        let reader = try StoreReader(at: try scratch.write(peer.file))
        try reader.backup(to: scratch("copy"))
        #expect(try scratch.read("copy") == Array(peer.file.prefix(end)))
        #expect(try ReferenceStore(at: scratch("copy")).rows.count == 5)
    }

    @Test("a backup that fails at any call leaves nothing under the name")
    func failures() throws {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows(1...5, dimension: 3))
        let path = try scratch.write(peer.file)
        for unnamed in [true, false] {
            var index = 0
            while true {
                let host = FaultyHost(base: POSIXHost())
                if !unnamed { host.script.update { $0.unsupported[.openUnnamed] = .notSupported } }
                let core = try StoreReaderCore(host: host, path: path, options: ReaderOptions())
                host.script.reset()
                let failing = index
                host.script.intercept { $0.index == failing ? .ioError : nil }
                let error = storeError { () throws(StoreError) in
                    try core.snapshot.backup(to: scratch("copy"), options: WorkOptions())
                }
                let calls = host.script.callCount
                if scratch.names.contains("copy") {
                    #expect(try scratch.read("copy") == peer.file)
                    try FileManagement.remove(scratch("copy"))
                } else {
                    #expect(error != nil, "call \(index)")
                }
                for name in scratch.names where name != "data.rvf" { try FileManagement.remove(scratch(name)) }
                index += 1
                if index > calls { break }
            }
        }
    }

    @Test("a child descends from its parent as the corpus's children do, and holds its rows")
    func derive() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 3, metric: .cosine)
        try writer.append(batch(rows(1...20, dimension: 3)))
        try writer.append(batch(rows([4], dimension: 3, version: 1)))
        let parent = try StoreReader(at: path)
        let identity = try parent.derive(to: scratch("child.rvf"))
        let child = try StoreReader(at: scratch("child.rvf"))
        #expect(child.snapshot().identity == identity)
        #expect(identity.parentID == parent.snapshot().identity?.fileID && identity.fileID != identity.parentID)
        #expect(identity.parentHash == ReferenceWriter.witnessHash(Array(try scratch.read().suffix(65_536))))
        #expect(identity.lineageDepth == 1)
        #expect(child.snapshot().metric == .cosine)
        #expect(try child.rows() == parent.rows())
        #expect(try ReferenceStore(at: scratch("child.rvf")).rows == parent.rows())
        #expect(try child.derive(to: scratch("grandchild.rvf")).lineageDepth == 2)
    }

    @Test("real stores are compacted, copied, derived from and found intact", .enabled(if: StoreCorpus.isPresent, "\(StoreCorpus.whereToGetIt)"), arguments: StoreCorpus.stores)
    func corpus(_ name: String) throws {
        let path = try scratch.write(try StoreCorpus.bytes(name))
        let reader = try StoreReader(at: path)
        let before = try reader.rows()
        #expect(try StoreVerification.run(at: path).isIntact)
        try reader.backup(to: scratch("copy"))
        #expect(try StoreReader(at: scratch("copy")).rows() == before)
        try reader.derive(to: scratch("child"))
        #expect(try ReferenceStore(at: scratch("child")).rows == before)
        let repaired = try StoreRepair.run(from: path, to: scratch("repaired"))
        #expect(repaired.losses.isEmpty)
        #expect(try ReferenceStore(at: scratch("repaired")).rows == before)
        var writer = try StoreWriter.open(at: path)
        let identity = writer.snapshot().identity
        try writer.compact()
        #expect(try ReferenceStore(at: path).rows == before)
        #expect(identity == nil || writer.snapshot().identity == identity)
        let report = try StoreVerification.run(at: path)
        #expect(report.isIntact && report.warningCount == 0, "\(report.problems)")
    }
}
