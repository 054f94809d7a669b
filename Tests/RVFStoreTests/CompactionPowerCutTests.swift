import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Power cuts during a compaction")
struct CompactionPowerCutTests {
    private let scratch = Scratch()

    private func identity(of path: FilePath) throws -> FileIdentity {
        let file = try FileDescriptor.open(path, .readOnly)
        defer { try? file.close() }
        return try POSIXHost().status(of: file).identity
    }

    @Test("the file that has the name is, as far as it is durable, a whole store with all rows", arguments: [7, 1_000_000])
    func images(_ rowsInMemory: Int) throws {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows((1...200).reversed(), dimension: 3), witnessed: true)
        peer.segment(0x10, [UInt8](repeating: 3, count: 700))
        peer.ingest(rows([4, 50], dimension: 3, version: 1))
        let expected = dictionary(rows(1...200, dimension: 3) + rows([4, 50], dimension: 3, version: 1))
        let path = try scratch.write(peer.file)
        let old = peer.file
        let disk = Disk()
        let script = DiskScript()
        script.set { $0.disk = disk }
        let host = RecordingHost(script: script)
        var options = WriterOptions()
        options.lock.renewal = .manual
        options.limits.segmentByteCount = 500
        var writer = try StoreWriterCore.open(host: host, registry: LockRegistry(), path: path, options: options)
        let before = try identity(of: path)
        var work = WorkOptions()
        work.rowsInMemory = rowsInMemory
        _ = try writer.compact(work)
        let after = try identity(of: path)
        #expect(before != after)
        // Nothing is written to the old file, so it is whole if the rename is lost.
        #expect(disk.durable(before) == nil)
        let image = try #require(disk.durable(after))
        #expect(try ReferenceStore(image).rows == expected)
        #expect(image == (try scratch.read()) && image != old)
        // What is acknowledged afterwards is durable in the new one.
        try writer.append(batch(rows([999], dimension: 3)))
        #expect(try ReferenceStore(try #require(disk.durable(after))).rows[999] != nil)
    }
}
