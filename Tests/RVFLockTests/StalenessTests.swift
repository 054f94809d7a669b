import RVFHost
import Testing

@testable import RVFLock

/// The decision table, row by row, with the times just before and just after each limit.
@Suite struct StalenessTests {
    static let now: Int64 = 1_800_000_000_000_000_000
    static let meanings: [GuardMeaning] = [.coherent, .layered, .remote]

    /// A record of a dead process of another host, a second old, under the judge's guard; each test changes what it
    /// is about.
    static func observation(
        age: Double = 1, isGuarded: Bool = false, version: UInt32 = 1, badChecksum: Bool = false,
        meaning: GuardMeaning = .coherent, isOurHost: Bool = false, process: ProcessState = .dead,
        isOwnProcessID: Bool = false, fileAge: Double? = nil, unchanged: Double = 0, dataAge: Double? = nil
    ) -> LockObservation {
        var bytes = LockRecord(
            processID: 4711, hostName: [0x61], timestampNanoseconds: UInt64(now - Int64(age * 1e9)),
            writerID: WriterID(bytes: [UInt8](repeating: 3, count: 16))!, version: version, isGuarded: isGuarded
        ).encoded()
        if badChecksum { bytes[0x64] ^= 1 }
        return observation(
            bytes: bytes, meaning: meaning, isOurHost: isOurHost, process: process, isOwnProcessID: isOwnProcessID,
            fileAge: fileAge ?? age, unchanged: unchanged, dataAge: dataAge)
    }

    static func observation(
        bytes: [UInt8], length: Int64? = nil, meaning: GuardMeaning = .coherent, isOurHost: Bool = false,
        process: ProcessState = .dead, isOwnProcessID: Bool = false, fileAge: Double = 1, unchanged: Double = 0,
        dataAge: Double? = nil
    ) -> LockObservation {
        LockObservation(
            reading: LockRecordReading(bytes, fileBytes: length), nowNanoseconds: now,
            modifiedNanoseconds: now - Int64(fileAge * 1e9), guardMeaning: meaning, guardIsFree: meaning != .remote,
            isOurHost: isOurHost, process: process, isOwnProcessID: isOwnProcessID,
            unchangedNanoseconds: Int64(unchanged * 1e9), dataModifiedNanoseconds: dataAge.map { now - Int64($0 * 1e9) })
    }

    private func expect(
        _ seen: LockObservation, _ verdict: LockVerdict, rules: LockRules = .rvf,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(Staleness.verdict(on: seen, rules: rules) == verdict, sourceLocation: sourceLocation)
    }

    private static let strictest = LockRules(
        deadProcessAge: .seconds(3000), otherHosts: .neverStale, malformedRecords: .refuse,
        initialisingAge: .seconds(3000))

    @Test("A guarded record whose guard is free on a coherent file system is stale at once, whatever else it says")
    func guardReleased() {
        for rules in [LockRules.rvf, .ownerLease, Self.strictest] {
            for badChecksum in [false, true] {
                for age in [-1e6, 0, 1, 1e6] {
                    for (isOurs, process) in [(true, ProcessState.alive), (true, .dead), (false, .dead)] {
                        let seen = Self.observation(
                            age: age, isGuarded: true, badChecksum: badChecksum, isOurHost: isOurs, process: process)
                        expect(seen, .stale(.guardReleased), rules: rules)
                    }
                }
            }
        }
    }

    @Test("Elsewhere a free guard, or a guard byte that nobody can ask about, proves nothing")
    func guardProvesNothing() {
        for meaning in [GuardMeaning.layered, .remote] {
            expect(
                Self.observation(age: 1, isGuarded: true, meaning: meaning, isOurHost: true, process: .alive),
                .held(.processAlive))
            expect(Self.observation(age: 1, isGuarded: true, meaning: meaning), .held(.otherHostRecent))
        }
        var onlooker = Self.observation(age: 1, isGuarded: true, isOurHost: true, process: .alive)
        onlooker.guardIsFree = false
        expect(onlooker, .held(.processAlive))
        // An unguarded record's guard is free for everybody.
        expect(Self.observation(age: 1, isOurHost: true, process: .alive), .held(.processAlive))
    }

    @Test("A dead process of this host: stale above 30 s", arguments: meanings)
    func deadProcess(meaning: GuardMeaning) {
        func at(_ age: Double) -> LockObservation { Self.observation(age: age, meaning: meaning, isOurHost: true) }
        expect(at(0), .held(.recentlyDead))
        expect(at(29.9), .held(.recentlyDead))
        expect(at(30), .held(.recentlyDead))
        expect(at(30.1), .stale(.processDead))
        expect(at(1e8), .stale(.processDead))
        expect(at(0), .stale(.processDead), rules: .ownerLease)
        expect(at(-1e8), .stale(.processDead), rules: .ownerLease)
        expect(at(2999.9), .held(.recentlyDead), rules: Self.strictest)
        expect(at(3000.1), .stale(.processDead), rules: Self.strictest)
    }

    @Test("A live process of this host holds however old its record", arguments: meanings)
    func liveProcess(meaning: GuardMeaning) {
        for rules in [LockRules.rvf, .ownerLease, Self.strictest] {
            for age in [-1e8, 0, 31, 301, 1e8] {
                let seen = Self.observation(
                    age: age, meaning: meaning, isOurHost: true, process: .alive, unchanged: 1e6, dataAge: 1e6)
                expect(seen, .held(.processAlive), rules: rules)
            }
        }
    }

    @Test("Our own process id without a lock of ours is judged as another host's")
    func ownProcessID() {
        func at(_ age: Double) -> LockObservation {
            Self.observation(age: age, isOurHost: true, process: .alive, isOwnProcessID: true)
        }
        expect(at(31), .held(.otherHostRecent))
        expect(at(299.9), .held(.otherHostRecent))
        expect(at(300.1), .stale(.otherHostOld))
        expect(at(1e6), .held(.otherHostNeverStale), rules: .ownerLease)
    }

    @Test("Another host's record: stale above 300 s, or only if the file is as quiet, or never", arguments: meanings)
    func otherHost(meaning: GuardMeaning) {
        func at(_ age: Double, data: Double? = nil) -> LockObservation {
            Self.observation(age: age, meaning: meaning, dataAge: data)
        }
        expect(at(29.9), .held(.otherHostRecent))
        expect(at(30.1), .held(.otherHostRecent))
        expect(at(299.9), .held(.otherHostRecent))
        expect(at(300), .held(.otherHostRecent))
        expect(at(300.1), .stale(.otherHostOld))
        expect(at(300.1, data: 0), .stale(.otherHostOld))
        var quiet = LockRules.rvf
        quiet.otherHosts = .staleAfterQuiet(.seconds(300))
        expect(at(300.1, data: 299.9), .held(.otherHostRecent), rules: quiet)
        expect(at(299.9, data: 1e6), .held(.otherHostRecent), rules: quiet)
        expect(at(300.1, data: 300.1), .stale(.otherHostOld), rules: quiet)
        expect(at(300.1, data: nil), .stale(.otherHostOld), rules: quiet)
        // A file from the future is quiet only if it was watched for as long.
        expect(at(1e6, data: -1000), .held(.otherHostRecent), rules: quiet)
        expect(at(1e9), .held(.otherHostNeverStale), rules: .ownerLease)
    }

    @Test("A timestamp in the future counts by what was watched")
    func future() {
        for ahead in [10.0, 3.15e8] {
            func ours(_ unchanged: Double) -> LockObservation {
                Self.observation(age: -ahead, isOurHost: true, unchanged: unchanged)
            }
            expect(ours(0), .held(.recentlyDead))
            expect(ours(29.9), .held(.recentlyDead))
            expect(ours(30.1), .stale(.processDead))
            func other(_ unchanged: Double) -> LockObservation { Self.observation(age: -ahead, unchanged: unchanged) }
            expect(other(30.1), .held(.otherHostRecent))
            expect(other(299.9), .held(.otherHostRecent))
            expect(other(300.1), .stale(.otherHostOld))
        }
        // One of the past is not made older by watching, nor one beyond any clock by its bits.
        expect(Self.observation(age: 1, isOurHost: true, unchanged: 1e6), .held(.recentlyDead))
        var bytes = Peer.record(host: "a").recordBytes()
        bytes.timestampNanoseconds = .max
        bytes.checksum = bytes.computedChecksum
        expect(Self.observation(bytes: bytes.array), .held(.otherHostRecent))
        expect(Self.observation(bytes: bytes.array, unchanged: 300.1), .stale(.otherHostOld))
    }
}
