import RVFHost
import Testing

@testable import RVFLock

/// The rows of the decision table for what is no good record.
@Suite struct MalformedTests {
    private func verdict(_ seen: LockObservation, rules: LockRules = .rvf) -> LockVerdict {
        Staleness.verdict(on: seen, rules: rules)
    }

    private func empty(fileAge: Double, meaning: GuardMeaning, unchanged: Double = 0) -> LockObservation {
        StalenessTests.observation(bytes: [], meaning: meaning, fileAge: fileAge, unchanged: unchanged)
    }

    @Test("An empty file may be on its way for 30 s", arguments: StalenessTests.meanings)
    func emptyFile(meaning: GuardMeaning) {
        #expect(verdict(empty(fileAge: 0, meaning: meaning)) == .initialising)
        #expect(verdict(empty(fileAge: 29.9, meaning: meaning)) == .initialising)
        #expect(verdict(empty(fileAge: 30.1, meaning: meaning)) == .stale(.emptyOld))
        #expect(verdict(empty(fileAge: 29.9, meaning: meaning), rules: .ownerLease) == .initialising)
        #expect(verdict(empty(fileAge: 30.1, meaning: meaning), rules: .ownerLease) == .held(.malformed(.size)))
        // A file system whose clock is ahead.
        #expect(verdict(empty(fileAge: -600, meaning: meaning, unchanged: 29.9)) == .initialising)
        #expect(verdict(empty(fileAge: -600, meaning: meaning, unchanged: 30.1)) == .stale(.emptyOld))
    }

    @Test("What is no lock record is taken at once where one write is seen whole", arguments: [1, 50, 103])
    func shortFile(size: Int) {
        let good = Peer.record().encoded()
        let bytes = Array(good.prefix(size))
        for meaning in [GuardMeaning.coherent, .layered] {
            let seen = StalenessTests.observation(bytes: bytes, meaning: meaning, fileAge: 0)
            #expect(verdict(seen) == .stale(.malformed(.size)))
            #expect(verdict(seen, rules: .ownerLease) == .held(.malformed(.size)))
        }
        for (age, expected) in [
            (0.0, LockVerdict.held(.malformed(.size))), (29.9, .held(.malformed(.size))), (30.1, .stale(.malformed(.size))),
        ] {
            #expect(verdict(StalenessTests.observation(bytes: bytes, meaning: .remote, fileAge: age)) == expected)
        }
        let future = StalenessTests.observation(bytes: bytes, meaning: .remote, fileAge: -600, unchanged: 30.1)
        #expect(verdict(future) == .stale(.malformed(.size)))
    }

    @Test("A bad magic is no lock record, whatever follows")
    func badMagic() {
        var bytes = Peer.record(isGuarded: true).encoded()
        bytes[0] = 0
        for length in [Int64(104), 105, 1 << 30] {
            let seen = StalenessTests.observation(
                bytes: bytes, length: length, isOurHost: true, process: .alive, fileAge: 0)
            let problems = seen.reading.problems
            #expect(problems.contains(.magic))
            #expect(verdict(seen) == .stale(.malformed(problems)))
            #expect(verdict(seen, rules: .ownerLease) == .held(.malformed(problems)))
        }
        let remote = StalenessTests.observation(bytes: bytes, meaning: .remote, fileAge: 29.9)
        #expect(verdict(remote) == .held(.malformed(remote.reading.problems)))
    }

    @Test("A bad checksum is judged by the fields, but never stale before the file is 30 s old")
    func badChecksum() {
        func at(
            _ age: Double, fileAge: Double, ours: Bool = true, process: ProcessState = .dead, unchanged: Double = 0
        ) -> LockVerdict {
            verdict(
                StalenessTests.observation(
                    age: age, badChecksum: true, isOurHost: ours, process: process, fileAge: fileAge,
                    unchanged: unchanged))
        }
        #expect(at(1e6, fileAge: 29.9) == .held(.malformed(.checksum)))
        #expect(at(1e6, fileAge: 30.1) == .stale(.processDead))
        #expect(at(1e6, fileAge: 30.1, process: .alive) == .held(.processAlive))
        #expect(at(1e6, fileAge: 0, process: .alive) == .held(.processAlive))
        #expect(at(29.9, fileAge: 1e6) == .held(.recentlyDead))
        #expect(at(301, fileAge: 29.9, ours: false) == .held(.malformed(.checksum)))
        #expect(at(301, fileAge: 30.1, ours: false) == .stale(.otherHostOld))
        #expect(at(299.9, fileAge: 1e6, ours: false) == .held(.otherHostRecent))
        #expect(at(1e6, fileAge: -10, unchanged: 29.9) == .held(.malformed(.checksum)))
        #expect(at(1e6, fileAge: -10, unchanged: 30.1) == .stale(.processDead))
    }

    @Test("A longer file is judged by its first 104 bytes")
    func longer() {
        let bytes = Peer.record(ageSeconds: 0).encoded()
        for length in [Int64(105), 1000, 1 << 30] {
            let alive = StalenessTests.observation(bytes: bytes, length: length, isOurHost: true, process: .alive)
            #expect(verdict(alive) == .held(.processAlive))
            let guarded = StalenessTests.observation(
                bytes: Peer.record(isGuarded: true).encoded(), length: length, isOurHost: true, process: .alive)
            #expect(verdict(guarded) == .stale(.guardReleased))
        }
    }

    @Test("Another version is left to newer software, guard byte or not", arguments: [UInt32(0), 2, .max])
    func otherVersion(version: UInt32) {
        for isGuarded in [false, true] {
            for rules in [LockRules.rvf, .ownerLease] {
                let seen = StalenessTests.observation(
                    age: 1e8, isGuarded: isGuarded, version: version, isOurHost: true, unchanged: 1e8)
                #expect(verdict(seen, rules: rules) == .held(.unknownVersion))
            }
        }
        let torn = StalenessTests.observation(age: 1e8, version: version, badChecksum: true, isOurHost: true)
        #expect(verdict(torn) == .stale(.processDead), "with a bad checksum the version proves nothing")
    }

    @Test("Ages are held at the ends of the clock instead of overflowing")
    func extremes() {
        var seen = StalenessTests.observation(bytes: [])
        for now in [Int64.min, 0, .max] {
            for time in [Int64.min, -1, 0, .max] {
                seen.nowNanoseconds = now
                seen.modifiedNanoseconds = time
                _ = verdict(seen)
            }
        }
        #expect(Int64.max.saturatingSubtract(.min) == .max)
        #expect(Int64.min.saturatingSubtract(1) == .min)
        #expect(Duration.seconds(Int64.max).nanoseconds == .max)
        #expect(Duration.seconds(Int64.min).nanoseconds == .min)
        #expect(Duration.milliseconds(1500).nanoseconds == 1_500_000_000)
    }
}
