package import RVFHost

/// All that a judge can see of a lock file; gathering it is the protocol's business, judging it is pure.
package struct LockObservation: Sendable {
    package var reading: LockRecordReading
    /// The judge's wall clock, nanoseconds since 1970.
    package var nowNanoseconds: Int64
    /// The lock file's time of last change, nanoseconds since 1970.
    package var modifiedNanoseconds: Int64
    /// What a kernel lock on the lock file's file system means.
    package var guardMeaning: GuardMeaning
    /// Whether a guard of somebody else on the lock file is known not to exist: the judge has it itself.
    package var guardIsFree: Bool
    /// Whether the record's host name is one of this host's.
    package var isOurHost: Bool
    /// The state of the recorded process on this host.
    package var process: ProcessState
    /// Whether the recorded process id is the judge's own, though this process holds no such lock: an earlier
    /// process in a container where ids begin anew.
    package var isOwnProcessID: Bool
    /// For how long the judge has watched the file without a change, on a clock that never steps.
    package var unchangedNanoseconds: Int64
    /// For how long the protected file has not changed, by its time of last change; nil where there is none.
    package var dataModifiedNanoseconds: Int64?
}

/// Why a record counts as held.
public enum HeldReason: Equatable, Sendable {
    /// A kernel lock on the lock file or on the protected file is taken.
    case kernelLock
    /// The recorded process of this host is alive.
    case processAlive
    /// The recorded process is dead, but the record is too young for the rules.
    case recentlyDead
    /// Another host's record, too young for the rules, or its file has changed too recently.
    case otherHostRecent
    /// Another host's record, and the rules never call such a one stale.
    case otherHostNeverStale
    /// A version of the record that this library does not know.
    case unknownVersion
    /// Not a lock record, and the rules leave such to a person, or it may still be on its way.
    case malformed(LockRecordReading.Problems)
}

/// Why a record counts as stale.
public enum StaleReason: Equatable, Sendable {
    /// Its writer declared a kernel lock, and that is free: the writer is gone.
    case guardReleased
    /// The recorded process of this host is dead.
    case processDead
    /// Another host's record, older than the rules allow.
    case otherHostOld
    /// An empty file, older than a writer needs to fill it.
    case emptyOld
    /// Not a lock record.
    case malformed(LockRecordReading.Problems)
}

package enum LockVerdict: Equatable, Sendable {
    case held(HeldReason)
    case stale(StaleReason)
    /// Empty, and so young that its writer may be about to write.
    case initialising
}

/// The decision table: record and observation in, verdict out.
package enum Staleness {
    package static func verdict(on seen: LockObservation, rules: LockRules) -> LockVerdict {
        if seen.reading.isEmpty {
            if isFileOlder(seen, than: rules.initialisingAge) {
                return rules.malformedRecords == .refuse ? .held(.malformed(.size)) : .stale(.emptyOld)
            }
            return .initialising
        }
        let problems = seen.reading.problems
        guard let record = seen.reading.record else { return malformed(seen, problems, rules) }
        // A later version may mean anything by its bytes, the guard byte included, so it comes first.
        if problems.contains(.version) && !problems.contains(.checksum) { return .held(.unknownVersion) }
        if record.isGuarded && seen.guardMeaning == .coherent && seen.guardIsFree { return .stale(.guardReleased) }
        let verdict = byFields(seen, record, rules)
        // A wrong checksum may be a write under way, whatever the fields say.
        if problems.contains(.checksum), case .stale = verdict, !isFileOlder(seen, than: rules.initialisingAge) {
            return .held(.malformed(problems))
        }
        return verdict
    }

    /// What is no lock record. A peer writes its 104 bytes in one go, so a reader sees none or all of them, and
    /// fewer are no lock on its way; where even that is not sure the file's age decides.
    private static func malformed(
        _ seen: LockObservation, _ problems: LockRecordReading.Problems, _ rules: LockRules
    ) -> LockVerdict {
        guard rules.malformedRecords == .takeOver else { return .held(.malformed(problems)) }
        switch seen.guardMeaning {
        case .coherent, .layered: return .stale(.malformed(problems))
        case .remote:
            return isFileOlder(seen, than: rules.initialisingAge)
                ? .stale(.malformed(problems)) : .held(.malformed(problems))
        }
    }

    private static func byFields(
        _ seen: LockObservation, _ record: LockRecord, _ rules: LockRules
    ) -> LockVerdict {
        guard seen.isOurHost && !seen.isOwnProcessID else { return onOtherHost(seen, record, rules) }
        switch seen.process {
        case .alive: return .held(.processAlive)
        case .dead:
            // A zero age asks nothing of the clock: a record from the future is then taken as well.
            let isOld = rules.deadProcessAge == .zero || isRecord(record, olderThan: rules.deadProcessAge, seen)
            return isOld ? .stale(.processDead) : .held(.recentlyDead)
        }
    }

    private static func onOtherHost(
        _ seen: LockObservation, _ record: LockRecord, _ rules: LockRules
    ) -> LockVerdict {
        switch rules.otherHosts {
        case .neverStale: return .held(.otherHostNeverStale)
        case .staleAfter(let age):
            return isRecord(record, olderThan: age, seen) ? .stale(.otherHostOld) : .held(.otherHostRecent)
        case .staleAfterQuiet(let age):
            let isQuiet = seen.dataModifiedNanoseconds.map { isTime($0, olderThan: age, seen) } ?? true
            return isQuiet && isRecord(record, olderThan: age, seen) ? .stale(.otherHostOld) : .held(.otherHostRecent)
        }
    }

    private static func isRecord(_ record: LockRecord, olderThan age: Duration, _ seen: LockObservation) -> Bool {
        // A timestamp beyond Int64 lies in the future of any clock.
        isTime(Int64(exactly: record.timestampNanoseconds) ?? .max, olderThan: age, seen)
    }

    private static func isFileOlder(_ seen: LockObservation, than age: Duration) -> Bool {
        isTime(seen.modifiedNanoseconds, olderThan: age, seen)
    }

    /// Wall clock minus time; a time in the future says nothing, and then only what was watched counts.
    private static func isTime(_ time: Int64, olderThan age: Duration, _ seen: LockObservation) -> Bool {
        let elapsed = time > seen.nowNanoseconds ? seen.unchangedNanoseconds : seen.nowNanoseconds.saturatingSubtract(time)
        return elapsed > age.nanoseconds
    }
}

extension Int64 {
    package func saturatingSubtract(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? (other < 0 ? .max : .min) : difference
    }

    package func saturatingAdd(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other < 0 ? .min : .max) : sum
    }
}

extension Duration {
    /// Whole nanoseconds, held at the ends of Int64 (292 years).
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        return scaled.saturatingAdd(attoseconds / 1_000_000_000)
    }
}
