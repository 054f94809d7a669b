import Foundation
import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

/// The promises of ``Host`` that the code above rests on, on the real system.
@Suite struct POSIXHostTests {
    private let host = POSIXHost()

    private func create(_ name: FilePath, in directory: FileDescriptor) throws -> FileDescriptor {
        try host.open(name, in: directory, .readWrite, options: [.create, .exclusiveCreate], permissions: .ownerReadWrite)
    }

    @Test("A name is given only where it is free: by link, by exclusive rename, to an unnamed file")
    func namesAreNeverClobbered() throws {
        let scratch = try TemporaryDirectory()
        let directory = try host.openDirectory(scratch.path)
        defer { host.close(directory) }
        for name: FilePath in ["a", "b"] { host.close(try create(name, in: directory)) }
        #expect(throws: Errno.fileExists) { try host.link("a", as: "b", in: directory) }
        #expect(throws: Errno.fileExists) { try host.renameExclusively("a", to: "b", in: directory) }
        if let unnamed = try? host.openUnnamed(in: directory, permissions: .ownerReadWrite) {
            #expect(throws: Errno.fileExists) { try host.linkUnnamed(unnamed, as: "b", in: directory) }
            try host.linkUnnamed(unnamed, as: "c", in: directory)
            let opened = try host.status(of: unnamed).identity
            #expect(try host.status(of: "c", in: directory, followingLinks: false).identity == opened)
            host.close(unnamed)
        }
        // A symbolic link is a name that is taken, wherever it leads.
        try FileManager.default.createSymbolicLink(atPath: scratch.file("l").string, withDestinationPath: "nowhere")
        #expect(throws: Errno.fileExists) { try create("l", in: directory) }
        #expect(throws: Errno.fileExists) { try host.link("a", as: "l", in: directory) }
        try host.renameExclusively("a", to: "d", in: directory)
        #expect(!scratch.names.contains("a") && !scratch.names.contains("nowhere"))
    }

    @Test("Exchanging swaps two files, and fails where one is missing")
    func exchange() throws {
        let scratch = try TemporaryDirectory()
        let directory = try host.openDirectory(scratch.path)
        defer { host.close(directory) }
        for name: FilePath in ["a", "b"] { host.close(try create(name, in: directory)) }
        let (a, b) = (
            try host.status(of: "a", in: directory, followingLinks: false).identity,
            try host.status(of: "b", in: directory, followingLinks: false).identity
        )
        try host.exchange("a", "b", in: directory)
        #expect(try host.status(of: "a", in: directory, followingLinks: false).identity == b)
        #expect(try host.status(of: "b", in: directory, followingLinks: false).identity == a)
        #expect(throws: Errno.noSuchFileOrDirectory) { try host.exchange("a", "none", in: directory) }
    }

    @Test("A kernel lock belongs to the open file: a second open is refused, other opens and closes do not matter")
    func kernelLock() throws {
        let scratch = try TemporaryDirectory()
        let directory = try host.openDirectory(scratch.path)
        defer { host.close(directory) }
        let first = try create("a", in: directory)
        #expect(try host.tryLock(first))
        #expect(try host.tryLock(first), "again through the same open file")
        for _ in 0..<3 {
            let other = try host.open("a", in: directory, .readWrite, options: [], permissions: [])
            #expect(try !host.tryLock(other))
            host.close(other)
        }
        let second = try host.open("a", in: directory, .readWrite, options: [], permissions: [])
        #expect(try !host.tryLock(second))
        #if os(Linux)
            let identity = try host.status(of: first).identity
            if let process = host.lockingProcess(of: identity) { #expect(process == host.processID) }
        #endif
        host.close(first)
        host.close(second)
    }

    @Test("Descriptors do not survive an exec")
    func closeOnExec() throws {
        let scratch = try TemporaryDirectory()
        let directory = try host.openDirectory(scratch.path)
        let file = try create("a", in: directory)
        var descriptors = [directory, file, try host.openDirectoryForReading(scratch.path)]
        if let unnamed = try? host.openUnnamed(in: directory, permissions: .ownerReadWrite) { descriptors.append(unnamed) }
        if let watch = try? host.watch(scratch.path, for: .endings) { descriptors.append(watch) }
        descriptors.append(try host.listen(at: scratch.file("s")))
        for descriptor in descriptors {
            #expect(fcntl(descriptor.rawValue, F_GETFD) & FD_CLOEXEC != 0, "\(descriptor)")
            host.close(descriptor)
        }
    }

    @Test("Kinds, sizes and link counts are told; links are followed only on demand")
    func statuses() throws {
        let scratch = try TemporaryDirectory()
        let directory = try host.openDirectory(scratch.path)
        defer { host.close(directory) }
        try scratch.write([1, 2, 3], to: "file")
        try FileManager.default.createSymbolicLink(atPath: scratch.file("link").string, withDestinationPath: "file")
        try FileManager.default.createDirectory(atPath: scratch.file("dir").string, withIntermediateDirectories: false)
        unsafe mkfifo(scratch.file("fifo").string, 0o600)
        func kind(_ name: FilePath, following: Bool = false) throws -> FileStatus.Kind {
            try host.status(of: name, in: directory, followingLinks: following).kind
        }
        #expect(try kind("file") == .regular)
        #expect(try kind("link") == .symbolicLink)
        #expect(try kind("link", following: true) == .regular)
        #expect(try kind("dir") == .directory)
        #expect(try kind("fifo") == .fifo)
        let status = try host.status(of: "file", in: directory, followingLinks: false)
        #expect(status.sizeBytes == 3 && status.linkCount == 1)
        #expect(abs(status.modifiedNanoseconds - host.wallClockNanoseconds()) < 60_000_000_000)
        if let birth = host.birthNanoseconds(of: "file", in: directory) { #expect(birth <= status.modifiedNanoseconds) }
        #expect(Set(try host.names(in: try host.openDirectoryForReading(scratch.path)).map(\.string)) == ["file", "link", "dir", "fifo"])
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            try host.open("link", in: directory, .readOnly, options: [.noFollow], permissions: [])
        }
        #expect(throws: Errno.noSuchFileOrDirectory) { try kind("none") }
    }

    @Test("Processes: this one lives; 0, negative, a thread's id and ids that nobody has are dead")
    func processes() async {
        #expect(host.processState(host.processID) == .alive)
        #expect(host.processState(1) == .alive, "another user's, perhaps")
        for nobody: Int32 in [0, -1, .min, .max, 999_999_999] { #expect(host.processState(nobody) == .dead) }
        #if os(Linux)
            let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
            for thread in threads.compactMap({ Int32($0) }) where thread != host.processID {
                // It may have ended meanwhile, which is dead as well.
                #expect(host.processState(thread) == .dead)
            }
            let mine = host.processDescription(host.processID)
            #expect(mine.command?.isEmpty == false)
            #expect((mine.startedNanoseconds ?? 0) < host.wallClockNanoseconds())
        #endif
    }

    @Test("A watch tells of the names that were asked for, also of what happened before the question")
    func watch() throws {
        let scratch = try TemporaryDirectory()
        guard let watch = try? host.watch(scratch.path, for: .endings) else { return }
        defer { host.unwatch(watch) }
        #expect(try !host.awaitChange(watch, of: ["a"], timeoutNanoseconds: 0))
        try scratch.write([1], to: "b")
        #expect(try !host.awaitChange(watch, of: ["a"], timeoutNanoseconds: 0))
        try scratch.write([1], to: "a")
        try FileManager.default.removeItem(atPath: scratch.file("a").string)
        #expect(try host.awaitChange(watch, of: ["a"], timeoutNanoseconds: 0))
        #expect(try !host.awaitChange(watch, of: ["a"], timeoutNanoseconds: 0), "told once")
    }

    @Test("Clocks: the boot clock never steps back, and random bytes differ")
    func clocks() {
        var last = host.bootClockNanoseconds()
        for _ in 0..<1000 {
            let now = host.bootClockNanoseconds()
            #expect(now >= last)
            last = now
        }
        var bytes: (UInt64, UInt64) = (0, 0)
        unsafe withUnsafeMutableBytes(of: &bytes) { unsafe host.fillWithRandomBytes($0) }
        #expect(bytes.0 != bytes.1)
    }
}
