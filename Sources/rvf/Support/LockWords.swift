import RVFLock

// The words by which scripts know a lock's state. Stable: they are part of the command's interface.

extension LockStatus {
    var stateWord: String {
        switch state {
        case .free: "free"
        case .held: "held"
        case .stale: "stale"
        case .initialising: "initialising"
        case .unreadable: "unreadable"
        }
    }

    var json: JSON {
        var fields: [(name: String, value: JSON)] = [
            ("state", .string(stateWord)),
            ("holder", .holder(holder)),
            ("evidence", .string(evidence?.word)),
            ("proven", .bool(isProven)),
            ("problems", .array(problems.words.map { .string($0) })),
        ]
        switch evidence {
        case .kernelLock(let process), .kernelLockOnProtectedFile(let process):
            fields.append(("kernelLockPid", .integer(Int64(process))))
        case .presumed, .stale, nil: break
        }
        if case .unreadable(let error) = state { fields.append(("reason", .string("\(error)"))) }
        return .object(fields)
    }
}

extension LockStatus.Evidence {
    var word: String {
        switch self {
        case .kernelLock: "kernelLock"
        case .kernelLockOnProtectedFile: "kernelLockOnProtectedFile"
        case .presumed(let reason): reason.word
        case .stale(let reason): reason.word
        }
    }
}

extension HeldReason {
    var word: String {
        switch self {
        case .kernelLock: "kernelLock"
        case .processAlive: "processAlive"
        case .recentlyDead: "recentlyDead"
        case .otherHostRecent: "otherHostRecent"
        case .otherHostNeverStale: "otherHostNeverStale"
        case .unknownVersion: "unknownVersion"
        case .malformed: "malformed"
        }
    }
}

extension StaleReason {
    var word: String {
        switch self {
        case .guardReleased: "guardReleased"
        case .processDead: "processDead"
        case .otherHostOld: "otherHostOld"
        case .emptyOld: "emptyOld"
        case .malformed: "malformed"
        }
    }
}

extension LossReason {
    var word: String {
        switch self {
        case .missing: "missing"
        case .replaced: "replaced"
        case .overwritten: "overwritten"
        case .takenWhileFrozen: "takenWhileFrozen"
        case .renewalFailed: "renewalFailed"
        case .protectedFileReplaced: "protectedFileReplaced"
        case .forked: "forked"
        }
    }
}

extension LockRecordReading.Problems {
    var words: [String] {
        let all: [(LockRecordReading.Problems, String)] = [
            (.size, "size"), (.magic, "magic"), (.checksum, "checksum"), (.version, "version"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}

extension JSON {
    static func holder(_ holder: LockHolder?) -> JSON {
        guard let holder else { return .null }
        return .object([
            ("pid", .unsigned(UInt64(holder.processID))),
            ("host", .string(holder.hostName)),
            ("writerID", .string(holder.writerID.description)),
            ("timestampNanoseconds", .unsigned(holder.record.timestampNanoseconds)),
            ("guarded", .bool(holder.record.isGuarded)),
            ("command", .string(holder.command)),
            ("sinceNanoseconds", holder.sinceNanoseconds.map { .integer($0) } ?? .null),
        ])
    }
}
