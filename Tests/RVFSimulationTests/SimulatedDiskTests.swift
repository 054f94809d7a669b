import RVFSimulation
import Testing

/// What a power cut can leave of a disk, on small examples that can be told by hand.
@Suite("The simulated disk")
struct SimulatedDiskTests {
    private func images(of disk: SimulatedDisk, _ setting: CutSetting = CutSetting()) -> Set<[String: [UInt8]]> {
        Set(disk.medium.images(setting: setting, seed: 1).map(\.files))
    }

    private func emptyFile(_ disk: inout SimulatedDisk, _ name: String) throws -> UInt64 {
        let file = disk.makeFile(permissions: 0o644, now: 0)
        try disk.link(file, as: name)
        disk.syncNames()
        return file
    }

    @Test("of writes that were not synced any are there, and lengths may go ahead of bytes")
    func writes() throws {
        var disk = SimulatedDisk()
        let file = try emptyFile(&disk, "a")
        disk.write(file, [1, 2], at: 0, now: 0)
        disk.write(file, [3], at: 2, now: 0)
        let contents: [[UInt8]] = [[], [0, 0, 0], [1, 2], [1, 2, 0], [0, 0, 3], [1, 2, 3]]
        #expect(images(of: disk) == Set(contents.map { ["a": $0] }))
        disk.sync(file)
        #expect(images(of: disk) == [["a": [1, 2, 3]]])
    }

    @Test("a cut to a shorter length may be lost")
    func truncation() throws {
        var disk = SimulatedDisk()
        let file = try emptyFile(&disk, "a")
        disk.write(file, [1, 2, 3], at: 0, now: 0)
        disk.sync(file)
        disk.truncate(file, to: 1, now: 0)
        #expect(images(of: disk) == [["a": [1, 2, 3]], ["a": [1]]])
    }

    @Test("a name is durable once its directory is synced, whatever else was synced")
    func names() throws {
        var disk = SimulatedDisk()
        let file = disk.makeFile(permissions: 0o644, now: 0)
        disk.write(file, [1], at: 0, now: 0)
        try disk.link(file, as: "a")
        disk.sync(file)
        #expect(images(of: disk) == [[:], ["a": [1]]])
        disk.syncNames()
        #expect(images(of: disk) == [["a": [1]]])
    }

    @Test("a name that is durable may lead to a file of which nothing is")
    func emptyFiles() throws {
        var disk = SimulatedDisk()
        let file = disk.makeFile(permissions: 0o644, now: 0)
        disk.write(file, [1], at: 0, now: 0)
        try disk.link(file, as: "a")
        disk.syncNames()
        #expect(images(of: disk) == [["a": []], ["a": [0]], ["a": [1]]])
    }

    @Test("a rename is there or not, and what it replaces is there as long as it may be lost")
    func renames() throws {
        var disk = SimulatedDisk(DiskImage(["old": [1], "new": [2]]))
        try disk.rename("new", to: "old", isExclusive: false)
        #expect(images(of: disk) == [["old": [1], "new": [2]], ["old": [2]]])
        disk.syncNames()
        #expect(images(of: disk) == [["old": [2]]])
    }

    @Test("two names are exchanged together or not at all")
    func exchanges() throws {
        var disk = SimulatedDisk(DiskImage(["a": [1], "b": [2]]))
        try disk.exchange("a", "b")
        #expect(images(of: disk) == [["a": [1], "b": [2]], ["a": [2], "b": [1]]])
    }

    @Test("changes of names are lost one without another")
    func separateNames() throws {
        var disk = SimulatedDisk(DiskImage(["a": [1], "b": [2]]))
        try disk.unlink("a")
        try disk.unlink("b")
        #expect(images(of: disk) == [["a": [1], "b": [2]], ["a": [1]], ["b": [2]], [:]])
    }

    @Test("one write at a time is torn, at the boundaries of sectors of both sizes")
    func tears() throws {
        var disk = SimulatedDisk()
        let file = try emptyFile(&disk, "a")
        disk.write(file, [UInt8](repeating: 7, count: 5000), at: 100, now: 0)
        var setting = CutSetting()
        setting.tearCount = 1
        let begun = images(of: disk, setting).compactMap { image in
            image["a"].flatMap { bytes in bytes.contains(7) ? bytes.firstIndex(of: 7) : nil }
        }
        let ended = images(of: disk, setting).compactMap { image in
            image["a"].flatMap { bytes in bytes.lastIndex(of: 7).map { $0 + 1 } }
        }
        // The first and the last boundary of each size, and the write's own ends.
        #expect(Set(begun) == [100, 512, 4608, 4096])
        #expect(Set(ended) == [512, 4608, 4096, 5100])
    }

    @Test("a file that nobody can reach any more is forgotten, and its inode used again is another file")
    func usedAgain() throws {
        var disk = SimulatedDisk(DiskImage(["a": [1]]))
        let first = try #require(disk.inode(named: "a"))
        try disk.unlink("a")
        let second = disk.makeFile(permissions: 0o644, now: 0)
        #expect(second == first)
        disk.write(second, [9], at: 0, now: 0)
        #expect(images(of: disk) == [["a": [1]], [:]])
    }

    @Test("of more changes than are gone through samples are made, the same for the same seed")
    func samples() throws {
        var disk = SimulatedDisk()
        let file = try emptyFile(&disk, "a")
        for number in 0..<20 as Range<UInt8> { disk.write(file, [number + 1], at: Int(number), now: 0) }
        var setting = CutSetting()
        setting.sampleCount = 50
        let made = disk.medium.images(setting: setting, seed: 5).map(\.files)
        #expect(Set(made).count > 40)
        #expect(made == disk.medium.images(setting: setting, seed: 5).map(\.files))
        #expect(made != disk.medium.images(setting: setting, seed: 6).map(\.files))
    }
}
