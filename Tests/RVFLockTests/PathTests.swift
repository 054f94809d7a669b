import Foundation
import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// What may stand at the names that a lock uses, and how they may be given.
@Suite struct PathTests {
    enum Thing: CaseIterable, Sendable {
        case link, danglingLink, fifo, directory, socket

        func make(_ path: FilePath, victim: FilePath) throws {
            switch self {
            case .link: Files.makeLink(path, to: victim.string)
            case .danglingLink: Files.makeLink(path, to: "nowhere")
            case .fifo: Files.makeFIFO(path)
            case .directory: Files.makeDirectory(path)
            case .socket:
                let socket = try POSIXHost().listen(at: path)
                POSIXHost().close(socket)
            }
        }

        var kind: LockError.NotAFile {
            switch self {
            case .link, .danglingLink: .symbolicLink
            case .fifo: .fifo
            case .directory: .directory
            case .socket: .socket
            }
        }
    }

    @Test("What is no regular file at the lock's name is refused and left alone", arguments: Thing.allCases, [true, false])
    func lockIsNoFile(thing: Thing, hasData: Bool) throws {
        let scene = try Scene(hasData: hasData)
        let victim = scene.directory.file("victim")
        Files.write([7], victim)
        try thing.make(scene.lock, victim: victim)
        let before = Files.identity(scene.lock)
        let process = Simulated()
        #expect(process.acquireError(scene.data) == .notAFile(scene.lock, thing.kind))
        #expect(process.status(scene.data).state == .unreadable(.notAFile(scene.lock, thing.kind)))
        #expect(throws: LockError.notAFile(scene.lock, thing.kind)) {
            try LockBreaking(host: process.host, path: scene.data, target: .malformed, isForced: true).run()
        }
        #expect(Files.identity(scene.lock) == before)
        #expect(Files.bytes(victim) == [7])
        #expect(!Files.exists(scene.directory.file("nowhere")))
        #expect(scene.litter.isEmpty)
        #expect(process.script.openDescriptors.isEmpty)
    }

    @Test("What is no regular file at the protected name is refused", arguments: Thing.allCases.filter { $0 != .link })
    func dataIsNoFile(thing: Thing) throws {
        let scene = try Scene(hasData: false)
        try thing.make(scene.data, victim: scene.data)
        let process = Simulated()
        #expect(process.acquireError(scene.data) == .notAFile(scene.data, thing.kind))
        #expect(scene.directory.names == ["data.rvf"])
        #expect(process.script.openDescriptors.isEmpty)
    }

    @Test("A large lock file that is no record is read no further than its start, and taken over")
    func sparse() throws {
        let scene = try Scene()
        let file = try FileDescriptor.open(scene.lock, .readWrite, options: .create, permissions: .ownerReadWrite)
        try file.resize(to: 1 << 30)
        try file.close()
        let lock = try Simulated().acquire(scene.data)
        #expect(Files.bytes(scene.lock)?.count == LockRecord.byteCount)
        #expect(Files.record(scene.lock)?.writerID == lock.writerID)
        try lock.release()
        #expect(scene.directory.names == ["data.rvf"])
    }

    @Test("A longer record of a dead holder is cut to 104 bytes")
    func longer() throws {
        let scene = try Scene()
        Files.write(Peer.record(ageSeconds: 0, isGuarded: true).encoded() + [1, 2, 3], scene.lock)
        let lock = try Simulated().acquire(scene.data)
        #expect(LockRecordReading(Files.bytes(scene.lock) ?? []).problems.isEmpty)
        try lock.release()
    }

    @Test("Names up to what leaves room for .lock work; longer ones say what to do")
    func longNames() throws {
        let scene = try Scene(name: String(repeating: "n", count: 250))
        let lock = try Simulated().acquire(scene.data)
        #expect(lock.isValid)
        try lock.release()
        #expect(scene.litter.isEmpty)
        for hasData in [true, false] {
            let long = try Scene(hasData: hasData, name: String(repeating: "n", count: 251))
            let error = try #require(Simulated().acquireError(long.data))
            guard case .system(_, _, .fileNameTooLong) = error else {
                Issue.record("\(error)")
                continue
            }
            #expect("\(error)".contains("shorter name"))
            #expect(long.directory.names.count == (hasData ? 1 : 0))
        }
    }

    @Test("Paths that name no file are refused", arguments: ["", "/", "..", ".", "a/..", "/.."])
    func noFile(path: String) {
        #expect(Simulated().acquireError(FilePath(path)) == .invalidPath(FilePath(path)))
    }

    @Test("A trailing slash and a missing directory are told apart")
    func oddPaths() throws {
        let scene = try Scene()
        let lock = try Simulated().acquire(FilePath(scene.data.string + "/"))
        #expect(Files.exists(scene.lock))
        try lock.release()
        let missing = scene.directory.file("none").appending("data.rvf")
        let error = Simulated().acquireError(missing)
        #expect(error == .system(.openDirectory, missing, .noSuchFileOrDirectory))
        let below = scene.data.appending("below")
        #expect(Simulated().acquireError(below) == .system(.openDirectory, below, .notDirectory))
    }

    @Test("Spaces, non-UTF-8 bytes and line ends in names are names like others")
    func oddNames() throws {
        let scene = try Scene(hasData: false)
        for bytes: [UInt8] in [Array("a b\n.rvf".utf8), [0xFF, 0xFE, 0x2E], Array("ü€.rvf".utf8), [0x2D, 0x72]] {
            let text = bytes.map { CChar(bitPattern: $0) } + [0]
            let name = unsafe text.withUnsafeBufferPointer { unsafe FilePath(platformString: $0.baseAddress!) }
            let path = scene.directory.path.pushing(name)
            let process = Simulated()
            let lock = try process.acquire(path)
            let site = lock.site
            let status = try POSIXHost().status(of: site.lockName, in: site.directory, followingLinks: false)
            #expect(status.sizeBytes == 104)
            #expect(site.lockName.length == bytes.count + 5)
            let refusal = Simulated().acquireError(path)
            #expect(refusal != nil)
            try lock.release()
            #expect(scene.directory.names.isEmpty)
        }
    }
}
