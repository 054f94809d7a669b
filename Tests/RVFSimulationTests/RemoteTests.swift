import RVFHost
import RVFLock
import RVFSimulation
import SystemPackage
import Testing

/// The simulated server's clients show what is over, for as long as is said and no longer.
@Suite("Files on a server")
struct RemoteTests {
    private static let lock = FilePath(Scene.lockName)

    private static func names(_ host: SimulatedHost) throws(Errno) -> FileDescriptor {
        try host.openDirectory(FilePath(Scene.directory))
    }

    private static func isThere(_ host: SimulatedHost, _ directory: FileDescriptor) -> Bool {
        (try? host.status(of: lock, in: directory, followingLinks: false)) != nil
    }

    private static func open(_ host: SimulatedHost, _ directory: FileDescriptor) throws(Errno) -> FileDescriptor {
        try host.open(lock, in: directory, .readWrite, options: [], permissions: [])
    }

    private static func firstByte(_ host: SimulatedHost, _ file: FileDescriptor) throws(Errno) -> UInt8? {
        var byte: UInt8 = 0
        let result: Result<Int, Errno> = unsafe withUnsafeMutableBytes(of: &byte) { buffer in
            do throws(Errno) {
                // The byte is alive for the call.
                return .success(try unsafe host.read(file, into: buffer, at: 0))
            } catch {
                return .failure(error)
            }
        }
        return try result.get() == 1 ? byte : nil
    }

    private static func write(_ byte: UInt8, _ host: SimulatedHost, _ file: FileDescriptor) throws(Errno) {
        let result: Result<Int, Errno> = unsafe withUnsafeBytes(of: byte) { buffer in
            do throws(Errno) {
                // The byte is alive for the call.
                return .success(try unsafe host.write(file, from: buffer, at: 0))
            } catch {
                return .failure(error)
            }
        }
        _ = try result.get()
    }

    private static func say(_ host: SimulatedHost, _ text: String) {
        host.world.tell(host.process) { $0.noteViolation(text) }
    }

    private static func onHost(
        _ machine: Int, _ body: @escaping @Sendable (SimulatedHost, FileDescriptor) throws(Errno) -> Void
    ) -> World.Actor {
        World.Actor(name: "host \(machine)", machine: machine) { host in
            guard let directory = try? names(host) else { return }
            try? body(host, directory)
        }
    }

    /// Whether there is an order of steps in which somebody says something.
    private func canBe(_ actors: [World.Actor]) async -> Bool {
        var budget = Budget()
        budget.cachedLooks = nil
        let scenario = Scenario(
            "caches", Scene.remote(.oldPeer, budget: budget), actors, invariants: [], endsWell: .unasked)
        let report = await aside { Explorer().explore(scenario) }
        return report.finding != nil
    }

    private static let remover = onHost(0) { (host, directory) throws(Errno) in
        try host.unlink(lock, in: directory)
    }

    @Test(
        "a file that another host has removed is seen for a minute, unless the directory is opened",
        arguments: [(60, false, true), (61, false, false), (1, true, false)])
    func removedName(_ seconds: Int64, _ opensDirectory: Bool, _ isSeen: Bool) async {
        let looker = Self.onHost(1) { (host, directory) throws(Errno) in
            guard Self.isThere(host, directory) else { return }
            host.sleep(nanoseconds: seconds * 1_000_000_000)
            if opensDirectory { host.close(try host.open(".", in: directory, .readOnly, options: .directory, permissions: [])) }
            // What is removed from here on is no matter of a cache.
            let isGone = host.world.state.lockInode == nil
            if isGone, Self.isThere(host, directory) { Self.say(host, "seen") }
        }
        #expect(await canBe([Self.remover, looker]) == isSeen)
    }

    @Test("what another host has written is seen at the next open once it is synced, and need not be before", arguments: [true, false])
    func writtenBytes(_ syncs: Bool) async {
        let writer = Self.onHost(0) { (host, directory) throws(Errno) in
            let file = try Self.open(host, directory)
            try Self.write(7, host, file)
            if syncs { try host.sync(file) }
            host.world.tell(host.process) { $0.noteAcknowledged(1) }
            // Closing writes back.
            host.sleep(nanoseconds: 1_000_000_000)
        }
        let reader = Self.onHost(1) { (host, directory) throws(Errno) in
            guard host.world.state.referee.acknowledged.contains(1),
                try Self.firstByte(host, try Self.open(host, directory)) != 7
            else { return }
            Self.say(host, "old bytes")
        }
        #expect(await canBe([writer, reader]) == !syncs)
    }

    @Test("a file that another host has removed is stale for who has it open, and its number is used again")
    func staleHandle() async {
        let reader = Self.onHost(1) { (host, directory) throws(Errno) in
            let file = try Self.open(host, directory)
            host.sleep(nanoseconds: 61_000_000_000)
            do throws(Errno) {
                _ = try Self.firstByte(host, file)
            } catch {
                if error == .staleNFSFileHandle { Self.say(host, "stale") }
            }
        }
        #expect(await canBe([Self.remover, reader]))
    }

    @Test("after a lost reply a change has been made and is answered by a failure")
    func lostReply() async {
        var budget = Budget()
        budget.lostReplies = 1
        let remover = Self.onHost(0) { (host, directory) throws(Errno) in
            do throws(Errno) {
                try host.unlink(Self.lock, in: directory)
            } catch {
                if error == .noSuchFileOrDirectory, host.world.state.lockInode == nil { Self.say(host, "lost") }
            }
        }
        let scenario = Scenario(
            "a lost reply", Scene.remote(.oldPeer, budget: budget), [remover], invariants: [], endsWell: .unasked)
        #expect(await aside { Explorer().explore(scenario) }.finding != nil)
    }
}
