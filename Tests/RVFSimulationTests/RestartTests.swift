import RVFLock
import RVFSimulation
import RVFStore
import SystemPackage
import Testing

/// What a power cut can leave of a lock file, when the machine is back sooner than in the power cuts that are gone through.
@Suite("A quick restart after a power cut")
struct RestartTests {
    private var options: WriterOptions {
        var options = WriterOptions()
        options.lock.renewal = .manual
        return options
    }

    /// The disk of a store whose writer was cut off a second ago.
    private func disk(lock: [UInt8]) throws -> SimulatedDisk {
        let machine = DiskMachine(SimulatedDisk(), boot: 0, seed: 1, keepsJournal: false)
        _ = try StoreWriterCore.create(
            host: DiskHost(machine), registry: LockRegistry(), path: Scene.data, dimension: 3, metric: .squaredL2,
            options: options)
        let disk = machine.disk
        let store = try #require(disk.inode(named: Scene.dataName).flatMap { disk.files.inodes[$0] }).bytes
        let then = DiskMachine.wallClock(ofBoot: 1) - 1_000_000_000
        return SimulatedDisk(
            DiskImage([Scene.dataName: store, Scene.lockName: lock]), nowNanoseconds: then)
    }

    private func open(_ disk: SimulatedDisk, waiting wait: LockWait) throws {
        var options = options
        options.lock.wait = wait
        let machine = DiskMachine(disk, boot: 1, seed: 2, keepsJournal: false)
        _ = try StoreWriterCore.open(
            host: DiskHost(machine), registry: LockRegistry(), path: Scene.data, options: options)
    }

    @Test("a lock file of zeros, or a part of a record, keeps nobody out", arguments: [1, 50, 104])
    func zeros(_ count: Int) throws {
        try open(try disk(lock: [UInt8](repeating: 0, count: count)), waiting: .none)
    }

    /// So does one that a peer has just made and is about to fill; nothing tells them apart.
    @Test("an empty lock file keeps a writer out for half a minute after it was made, and no longer")
    func empty() throws {
        let disk = try disk(lock: [])
        #expect(throws: StoreError.self) { try open(disk, waiting: .none) }
        #expect(throws: StoreError.self) { try open(disk, waiting: .atMost(.seconds(20))) }
        try open(disk, waiting: .atMost(.seconds(40)))
    }
}
