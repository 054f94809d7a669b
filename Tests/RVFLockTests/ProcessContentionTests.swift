import Foundation
import RVFTestSupport
import SystemPackage
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension ProcessTests {
    /// Many processes want one lock; a referee merges what each says of when it was inside.
    @Suite struct Contention {
        /// The two figures of a contender's last line, and the rest for messages.
        private struct Report {
            var acquired: Int
            var robbed: Int
            var text: String

            init(_ line: String) {
                func figure(_ key: String) -> Int {
                    let word = line.split(separator: " ").first { $0.hasPrefix(key + "=") }
                    return word.flatMap { Int($0.dropFirst(key.count + 1)) } ?? -1
                }
                acquired = figure("acquired")
                robbed = figure("robbed")
                text = line
            }
        }

        private func start(
            _ role: String, _ count: Int, at place: borrowing Place, _ settings: [String]
        ) throws -> [Probe] {
            try (0..<count).map { number in
                let log = place.directory.file("\(role)-\(number).log").string
                return try Probe(role, place.path, ["log=\(log)"] + settings)
            }
        }

        private func finish(_ probes: [Probe]) throws -> [Report] {
            try probes.map { Report(try $0.awaitLine(startingWith: "done")) }
        }

        private func judge(_ place: borrowing Place, only role: String = "") throws -> ProbeReferee {
            var referee = ProbeReferee()
            for name in place.directory.names where name.hasSuffix(".log") && name.hasPrefix(role) {
                try referee.add(place.directory.file(name))
            }
            return referee
        }

        @Test("Eight processes never have the lock together, and each gets it", arguments: [true, false])
        func eight(hasFile: Bool) throws {
            let place = try Place(hasFile: hasFile)
            let seconds = TestPowers.isLong ? 20 : 3
            let probes = try start("contend", 8, at: place, ["seconds=\(seconds)", "wait=forever"])
            for report in try finish(probes) {
                #expect(report.robbed == 0, "\(report.text)")
                #expect(report.acquired > 0, "\(report.text)")
            }
            #expect(try judge(place).overlaps == [])
            #expect(place.litter == [])
        }

        @Test("Sixty-four processes never have the lock together")
        func sixtyFour() throws {
            let place = try Place()
            let count = TestPowers.isLong ? 30 : 3
            let probes = try start("contend", 64, at: place, ["count=\(count)", "wait=forever", "hold=20"])
            for report in try finish(probes) {
                #expect(report.robbed == 0, "\(report.text)")
                #expect(report.acquired == count, "\(report.text)")
            }
            let referee = try judge(place)
            #expect(referee.overlaps == [])
            #expect(referee.intervals.count == 64 * count)
        }

        @Test("While the protected file is replaced again and again, no two have the lock, nor anybody the old file")
        func compaction() throws {
            let place = try Place()
            let seconds = TestPowers.isLong ? 20 : 3
            let probes = try start("contend", 6, at: place, ["seconds=\(seconds)", "wait=forever", "compact=1"])
            for report in try finish(probes) { #expect(report.robbed == 0, "\(report.text)") }
            #expect(try judge(place).overlaps == [])
        }

        @Test("The file is created by whichever comes first, and exclusion holds across its birth")
        func creation() throws {
            for _ in 0..<(TestPowers.isLong ? 50 : 5) {
                let place = try Place(hasFile: false)
                let probes = try start("contend", 4, at: place, ["count=60", "wait=forever", "compact=1", "hold=50"])
                for report in try finish(probes) { #expect(report.robbed == 0, "\(report.text)") }
                #expect(try judge(place).overlaps == [])
            }
        }

        /// A single peer, since two of them rob each other, and whoever comes by, without our doing.
        @Test("Beside one naive peer nobody is robbed and no two are inside", arguments: [true, false])
        func onePeer(hasFile: Bool) throws {
            let place = try Place(hasFile: hasFile)
            let seconds = TestPowers.isLong ? 60 : 4
            let ours = try start("contend", 5, at: place, ["seconds=\(seconds)", "wait=20"])
            let peers = try start("naive-contend", 1, at: place, ["seconds=\(seconds)"])
            for report in try finish(ours) + finish(peers) {
                #expect(report.robbed == 0, "\(report.text)")
                #expect(report.acquired > 0, "\(report.text)")
            }
            #expect(try judge(place).overlaps == [])
        }

        @Test("Beside several naive peers no two of ours are inside together")
        func severalPeers() throws {
            let place = try Place()
            let seconds = TestPowers.isLong ? 60 : 5
            let ours = try start("contend", 4, at: place, ["seconds=\(seconds)", "wait=20"])
            let peers = try start("naive-contend", 4, at: place, ["seconds=\(seconds)"])
            _ = try finish(ours) + finish(peers)
            #expect(try judge(place, only: "contend").overlaps == [])
        }

        @Test("Processes are killed, stopped and started, and the lock file is deleted: no two have the lock")
        func chaos() throws {
            let place = try Place()
            let seed = UInt64.random(in: 0...UInt64.max)
            var choices = Choices(seed: seed)
            let settings = ["seconds=600", "wait=forever", "hold=500"]
            var probes = try start("contend", 5, at: place, settings)
            let lockPath = place.path.string + ".lock"
            for step in 0..<(TestPowers.isLong ? 4000 : 300) {
                let index = choices.next(below: probes.count)
                switch choices.next(below: 4) {
                case 0:
                    probes[index].killAndReap()
                    let log = place.directory.file("contend-s\(step).log").string
                    probes[index] = try Probe("contend", place.path, ["log=\(log)"] + settings)
                case 1:
                    probes[index].kill(SIGSTOP)
                    usleep(UInt32(choices.next(below: 20_000)))
                    probes[index].kill(SIGCONT)
                case 2: try? FileManager.default.removeItem(atPath: lockPath)
                default: usleep(UInt32(choices.next(below: 20_000)))
                }
            }
            for probe in probes { probe.killAndReap() }
            let referee = try judge(place)
            #expect(referee.overlaps == [], "seed \(seed)")
            #expect(referee.intervals.count > 20)
            let last = try place.session()
            #expect(try place.canBeTaken(by: last))
        }
    }
}

/// A small generator that can be started anew from a printed seed (SplitMix64).
struct Choices {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
