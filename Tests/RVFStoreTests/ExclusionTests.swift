import RVFLock
import RVFStore
import SystemPackage
import Testing

@Suite("One writer")
struct ExclusionTests {
    private let scratch = Scratch()

    @Test("a create over something that exists is refused, says what is there, and leaves it untouched")
    func exists() throws {
        func refusal(_ name: String) -> StoreError? {
            storeError { () throws(StoreError) in try StoreWriter.create(at: scratch(name), dimension: 4).close() }
        }
        try StoreWriter.create(at: scratch("store"), dimension: 4).close()
        try scratch.write([], to: "empty")
        try scratch.write(Array("hello".utf8), to: "text")
        var torn = try scratch.read("store")
        torn[100] ^= 1
        try scratch.write(torn, to: "torn")
        let before = try ["store", "empty", "text", "torn"].map { try scratch.read($0) }

        #expect(refusal("store") == .exists(scratch("store"), .store))
        #expect(refusal("empty") == .exists(scratch("empty"), .emptyFile))
        #expect(refusal("text") == .exists(scratch("text"), .somethingElse(.noManifest(nearest: nil))))
        let rejected = RejectedManifest(offset: 0, why: "does not have the hash that its header gives")
        #expect(refusal("torn") == .exists(scratch("torn"), .brokenStore(.noManifest(nearest: rejected))))
        #expect(refusal("") == .exists(scratch(""), .somethingElse(.notARegularFile)))
        #expect(try ["store", "empty", "text", "torn"].map { try scratch.read($0) } == before)
        #expect(scratch.names == ["empty", "store", "text", "torn"])
    }

    @Test("a second writer is refused while there is one, and readers are not")
    func second() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 2)
        guard case .lock(.held)? = storeError({ () throws(StoreError) in try StoreWriter.open(at: path).close() }) else {
            Issue.record("a second writer came in")
            return
        }
        let reader = try StoreReader(at: path)
        try writer.append([Row(id: 1, vector: [1, 2])])
        #expect(try reader.refresh())
        #expect(try reader.snapshot().vector(id: 1) == [1, 2])
        try writer.close()
        try StoreWriter.open(at: path).close()
        #expect(scratch.names == ["data.rvf"])
    }

    @Test("opening what is not there, or no store, for writing leaves nothing behind")
    func nothingToOpen() throws {
        let missing = scratch("missing")
        #expect(
            storeError { () throws(StoreError) in try StoreWriter.open(at: missing).close() }
                == .system(.examine, missing, .noSuchFileOrDirectory))
        let empty = try scratch.write([], to: "empty")
        #expect(
            storeError { () throws(StoreError) in try StoreWriter.open(at: empty).close() } == .notAStore(empty, .empty))
        #expect(scratch.names == ["empty"])
    }

    @Test("an append from behind the lock is noticed before anything is published")
    func foreignAppend() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 2)
        try writer.append([Row(id: 1, vector: [1, 2])])
        try scratch.append([1, 2, 3])
        let before = try scratch.read()
        guard case .foreignAppend(path, let what)? = storeError({ () throws(StoreError) in
            try writer.append([Row(id: 2, vector: [1, 2])])
        }) else {
            Issue.record("not noticed")
            return
        }
        #expect(what.contains("\(before.count) bytes"))
        #expect(try scratch.read() == before)
    }

    @Test("a manifest that was overwritten in place is noticed")
    func overwritten() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 2)
        var bytes = try scratch.read()
        bytes[8] ^= 1
        try scratch.write(bytes)
        guard case .foreignAppend? = storeError({ () throws(StoreError) in
            try writer.append([Row(id: 2, vector: [1, 2])])
        }) else {
            Issue.record("not noticed")
            return
        }
        #expect(try scratch.read() == bytes)
    }

    @Test("a writer whose lock was removed commits nothing more")
    func lostLock() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 2)
        let before = try scratch.read()
        try FileManagement.remove(scratch("data.rvf.lock"))
        guard case .lostLock? = storeError({ () throws(StoreError) in
            try writer.append([Row(id: 2, vector: [1, 2])])
        }) else {
            Issue.record("not noticed")
            return
        }
        #expect(try scratch.read() == before)
    }

    @Test("a writer whose file was replaced commits nothing more")
    func replacedFile() throws {
        let path = scratch("data.rvf")
        var writer = try StoreWriter.create(at: path, dimension: 2)
        let copy = try scratch.write(try scratch.read(), to: "copy")
        try FileManagement.rename(copy, to: path)
        guard case .lostLock? = storeError({ () throws(StoreError) in
            try writer.append([Row(id: 2, vector: [1, 2])])
        }) else {
            Issue.record("not noticed")
            return
        }
        #expect(try scratch.read().count == 162)
    }
}
