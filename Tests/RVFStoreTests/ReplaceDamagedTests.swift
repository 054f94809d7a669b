import RVFLock
import RVFStore
import SystemPackage
import Testing

@Suite("Creating in a damaged file's place")
struct ReplaceDamagedTests {
    private let scene = DamagedScene()
    private var scratch: Scratch { scene.scratch }
    private var path: FilePath { scene.path }

    private static let store = DamagedScene.store
    private static let empty = DamagedScene.empty

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
        let writer = try StoreWriter.create(at: path, dimension: 7, options: DamagedScene.options())
        #expect(writer.displacedFile == scene.aside)
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
            guard case .exists(_, let found)? = scene.create() else {
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
        let writer = try StoreWriter.create(at: path, dimension: 7, options: DamagedScene.options())
        #expect(writer.displacedFile == scratch("data.rvf.damaged-4"))
        try writer.close()
        for number in 1...3 { #expect(try scratch.read("data.rvf.damaged-\(number)") == [UInt8(number)]) }
    }

    @Test("where nothing is in the way, the option changes nothing")
    func nothingThere() throws {
        let writer = try StoreWriter.create(at: path, dimension: 7, options: DamagedScene.options())
        #expect(writer.displacedFile == nil)
        try writer.close()
        #expect(scratch.names == ["data.rvf"])
    }

    @Test("a file that somebody has the lock of, or a link, stays")
    func lockedOrLinked() throws {
        try scratch.write([])
        let lock = try WriterLock.acquire(protecting: path)
        guard case .lock(.held)? = scene.create() else {
            Issue.record("was not refused")
            return
        }
        try lock.release()
        try FileManagement.move(path, to: scratch("other"))
        try FileManagement.link(path, to: "other")
        #expect(scene.create() == .lock(.notAFile(path, .symbolicLink)))
        #expect(scratch.names == ["data.rvf", "other"])
    }
}
