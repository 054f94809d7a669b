import Foundation
import RVFHost
import RVFLock
import RVFReference
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

@Suite("Compactions that fail")
struct CompactionFailureTests {
    private let scratch = Scratch()

    private var expected: [UInt64: [Float]] {
        dictionary(rows(1...30, dimension: 3) + rows([4, 50], dimension: 3, version: 1)).filter { $0.key != 9 }
    }

    private func store() throws -> FilePath {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows(1...30, dimension: 3), witnessed: true)
        peer.segment(0x10, [UInt8](repeating: 3, count: 700))
        peer.ingest(rows([4, 50], dimension: 3, version: 1))
        peer.delete([9])
        return try scratch.write(peer.file)
    }

    private func writer(
        _ host: FaultyHost<POSIXHost>, _ path: FilePath
    ) throws -> StoreWriterCore<FaultyHost<POSIXHost>> {
        var options = WriterOptions()
        options.lock.renewal = .manual
        return try StoreWriterCore.open(host: host, registry: LockRegistry(), path: path, options: options)
    }

    @Test("whichever call fails, the store can be read, holds the same rows, and takes the next commit")
    func everyCall() throws {
        let path = try store()
        let original = try scratch.read()
        var index = 0
        var failures = 0
        while true {
            try scratch.write(original)
            let host = FaultyHost(base: POSIXHost())
            var writer = try writer(host, path)
            host.script.reset()
            let failing = index
            host.script.intercept { call in
                call.index == failing && call.kind != .close && call.kind != .sleep ? .ioError : nil
            }
            let error = storeError { () throws(StoreError) in try writer.compact(WorkOptions()) }
            let calls = host.script.callCount
            host.script.intercept(nil)
            if error != nil { failures += 1 }
            #expect(try StoreReader(at: path).rows() == expected, "call \(index)")
            #expect(try ReferenceStore(at: path).rows == expected, "call \(index)")
            let after = storeError { () throws(StoreError) in
                try writer.append(batch(rows([77], dimension: 3)))
            }
            if after == nil {
                #expect(try StoreReader(at: path).rows()[77] != nil, "call \(index): acknowledged and not there")
            } else if case .lostLock? = after {
            } else {
                Issue.record("call \(index): \(after!)")
            }
            #expect(host.script.wrongCloses.isEmpty, "call \(index)")
            _ = consume writer
            for name in scratch.names where name != "data.rvf" { try FileManagement.remove(scratch(name)) }
            index += 1
            if index > calls { break }
        }
        #expect(failures > 15)
    }

    @Test("at every moment of a compaction the name leads to a whole store, and a process that dies leaves no more than a private file")
    func everyMoment() throws {
        let path = try store()
        let host = FaultyHost(base: POSIXHost())
        var writer = try writer(host, path)
        let expected = expected
        let (scratch, data) = (scratch, path)
        host.script.intercept { call in
            if call.kind.changesSomething {
                let rows = try? StoreReader(at: data).rows()
                if rows != expected { Issue.record("before \(call.kind) \(call.index)") }
                let others = scratch.names.filter { !["data.rvf", "data.rvf.lock"].contains($0) }
                if others.count > 1 || !others.allSatisfy({ $0.hasPrefix(".rvf-") }) { Issue.record("\(others)") }
            }
            return nil
        }
        _ = try writer.compact(WorkOptions())
        host.script.intercept(nil)
        #expect(try StoreReader(at: path).rows() == expected)
    }

    @Test("the new file is whole and durable before it has the name")
    func durableFirst() throws {
        let path = try store()
        let host = FaultyHost(base: POSIXHost())
        var writer = try writer(host, path)
        host.script.reset()
        _ = try writer.compact(WorkOptions())
        let log = host.script.log.map(\.kind)
        let rename = try #require(log.firstIndex(of: .rename))
        let sync = try #require(log[..<rename].lastIndex(of: .sync))
        #expect(!log[sync..<rename].contains(.write) && !log[sync..<rename].contains(.copyMetadata))
        // The directory afterwards.
        #expect(log[rename...].contains(.sync))
    }

    @Test("what a killed process left is swept later, when it is old")
    func sweep() throws {
        let path = try store()
        let host = FaultyHost(base: POSIXHost())
        var writer = try writer(host, path)
        // The process ends before the rename: nothing is removed any more.
        host.script.intercept { call in
            call.kind == .rename || call.kind == .unlink ? .ioError : nil
        }
        #expect(storeError { () throws(StoreError) in try writer.compact(WorkOptions()) } != nil)
        _ = consume writer
        host.script.intercept(nil)
        let left = try #require(scratch.names.first { $0.hasPrefix(".rvf-") })
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: scratch(left).string)
        for name in scratch.names where name.hasSuffix(".lock") { try FileManagement.remove(scratch(name)) }
        // A registry of its own: the shared one remembers directories, whose numbers come again, as swept.
        let later = try self.writer(FaultyHost(base: POSIXHost()), path)
        #expect(scratch.names == ["data.rvf", "data.rvf.lock"])
        #expect(try later.snapshot.liveIDs(onDamage: .refuse) == expected.keys.sorted())
    }

    @Test("too little room is said before anything is written")
    func noSpace() throws {
        let path = try store()
        let host = FaultyHost(base: POSIXHost())
        var writer = try writer(host, path)
        host.script.update { $0.mostAvailableBytes = 1000 }
        guard case .noSpace(path, let needed, 1000)? = storeError({ () throws(StoreError) in
            try writer.compact(WorkOptions())
        }) else {
            Issue.record("not refused")
            return
        }
        #expect(needed > 1000)
        #expect(scratch.names == ["data.rvf", "data.rvf.lock"])
    }

    @Test("an append behind the lock, or a lost lock, meanwhile keeps the old file in place")
    func disturbed() throws {
        let path = try store()
        let host = FaultyHost(base: POSIXHost())
        var writer = try writer(host, path)
        let scratch = scratch
        host.script.intercept { call in
            if call.kind == .copyMetadata { try? scratch.append([1, 2, 3]) }
            return nil
        }
        guard case .foreignAppend? = storeError({ () throws(StoreError) in try writer.compact(WorkOptions()) }) else {
            Issue.record("not noticed")
            return
        }
        #expect(try scratch.read().suffix(3) == [1, 2, 3])
        host.script.intercept { call in
            if call.kind == .copyMetadata { try? FileManagement.remove(scratch("data.rvf.lock")) }
            return nil
        }
        let size = try scratch.read().count
        _ = storeError { () throws(StoreError) in try writer.compact(WorkOptions()) }
        #expect(try scratch.read().count == size)
        #expect(try StoreReader(at: path).rows() == expected)
    }

    @Test("short reads and writes change nothing", arguments: [1, 7, 1000])
    func shortCalls(_ most: Int) throws {
        let path = try store()
        let host = FaultyHost(base: POSIXHost())
        host.script.update { $0.mostBytesAtOnce = most }
        var writer = try writer(host, path)
        _ = try writer.compact(WorkOptions())
        #expect(try ReferenceStore(at: path).rows == expected)
    }

    @Test("mode and attributes are kept")
    func metadata() throws {
        let path = try store()
        let file = try FileDescriptor.open(path, .readWrite)
        try POSIXHost().setPermissions(file, FilePermissions(rawValue: 0o640))
        let hasAttributes = Attributes.set("user.note", [1, 2, 3], on: path)
        let before = try POSIXHost().status(of: file)
        try file.close()
        var writer = try StoreWriter.open(at: path)
        try writer.compact()
        try writer.close()
        let new = try FileDescriptor.open(path, .readOnly)
        let after = try POSIXHost().status(of: new)
        try new.close()
        #expect(after.permissions == 0o640 && after.owner == before.owner && after.group == before.group)
        #expect(after.identity != before.identity)
        if hasAttributes { #expect(Attributes.get("user.note", on: path) == [1, 2, 3]) }
    }

    @Test("a symbolic link stays, and what it leads to is replaced")
    func symbolicLink() throws {
        let target = try store()
        try FileManager.default.createDirectory(atPath: scratch("links").string, withIntermediateDirectories: true)
        let link = scratch("links").appending("link.rvf")
        try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: "../data.rvf")
        let size = try scratch.read().count
        var writer = try StoreWriter.open(at: link)
        try writer.compact()
        try writer.append(batch(rows([77], dimension: 3)))
        try writer.close()
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.string) == "../data.rvf")
        #expect(try scratch.read().count != size)
        #expect(try StoreReader(at: target).rows()[77] != nil)
        #expect(scratch.names == ["data.rvf", "links"])
    }

    @Test("a hard-linked store is refused")
    func hardLink() throws {
        let path = try store()
        try FileManager.default.linkItem(atPath: path.string, toPath: scratch("other").string)
        var writer = try StoreWriter.open(at: path)
        #expect(storeError { () throws(StoreError) in try writer.compact() } == .hardLinked(path))
        try writer.append(batch(rows([77], dimension: 3)))
        #expect(try StoreReader(at: scratch("other")).rows()[77] != nil)
    }
}
