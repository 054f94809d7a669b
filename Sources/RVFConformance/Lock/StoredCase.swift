package import RVFLock

/// What a case's bytes are made of, besides the case.
package struct StoredContext: Sendable {
    /// A process of this host that is gone, and one that is not.
    package var deadProcess: UInt32
    package var liveProcess: UInt32
    /// As the implementation under test writes it.
    package var hostName: [UInt8]
    package var nowNanoseconds: UInt64
    package var writerID: WriterID

    package init(
        deadProcess: UInt32, liveProcess: UInt32, hostName: [UInt8], nowNanoseconds: UInt64, writerID: WriterID
    ) {
        self.deadProcess = deadProcess
        self.liveProcess = liveProcess
        self.hostName = hostName
        self.nowNanoseconds = nowNanoseconds
        self.writerID = writerID
    }
}

/// A record to put into a lock file.
package struct RecordRecipe: Equatable, Sendable {
    package var isDead = true
    package var isOtherHost = false
    /// Less than zero for the future.
    package var ageSeconds: Int64
    package var isGuarded = false
    package var version = LockRecord.currentVersion
    package var hasWrongMagic = false
    package var hasWrongChecksum = false
    /// Cut to so many bytes; or filled up to them.
    package var byteCount = LockRecord.byteCount

    static let otherHostName = Array("another-host.invalid".utf8)

    package func bytes(in context: StoredContext) -> [UInt8] {
        let age = ageSeconds * 1_000_000_000
        let record = LockRecord(
            processID: isDead ? context.deadProcess : context.liveProcess,
            hostName: isOtherHost ? Self.otherHostName : context.hostName,
            timestampNanoseconds: UInt64(max(0, Int64(context.nowNanoseconds) - age)), writerID: context.writerID,
            version: version, isGuarded: isGuarded)
        var bytes = record.encoded()
        if hasWrongMagic { bytes[0] ^= 0xFF }
        // The last byte of the checksum itself.
        if hasWrongChecksum { bytes[LockRecord.byteCount - 1] ^= 0x5A }
        let missing = max(0, byteCount - bytes.count)
        return Array(bytes.prefix(byteCount)) + [UInt8](repeating: 0, count: missing)
    }
}

/// A lock file that stands there when somebody acquires, and what is to come of it.
package struct StoredCase: Equatable, Sendable {
    package enum Expectation: Equatable, Sendable {
        case refused
        case acquired
        /// Rules differ by file system: what is no lock may be taken over now, or after 30 s.
        case either
        /// The guard byte speaks to those alone who write it.
        case acquiredIfGuarded
    }

    package var name: String
    package var summary: String
    package var recipe: RecordRecipe
    /// How long ago the file seems to have been written.
    package var fileAgeSeconds: Int64
    package var expectation: Expectation

    private init(
        _ name: String, _ summary: String, _ recipe: RecordRecipe, fileAge: Int64? = nil, _ expectation: Expectation
    ) {
        self.name = name
        self.summary = summary
        self.recipe = recipe
        fileAgeSeconds = fileAge ?? max(0, recipe.ageSeconds)
        self.expectation = expectation
    }

    /// How much older the record may be, when it is judged, for a refusal to be right; nil where that is no matter of
    /// seconds.
    package var marginSeconds: Int64? {
        let left = (recipe.isOtherHost ? 300 : 30) - recipe.ageSeconds
        return expectation == .refused && recipe.isDead && left > 0 ? left : nil
    }

    /// Names that many hosts have tell nothing of processes.
    package func needsHostName() -> Bool { !recipe.isOtherHost && recipe.byteCount >= LockRecord.byteCount }

    package static let all: [StoredCase] = ages + short + corrupt + guarded

    private static let ages: [StoredCase] = [
        StoredCase("dead-29s", "a dead process's record, 29 s old, is held", RecordRecipe(ageSeconds: 29), .refused),
        StoredCase("dead-31s", "a dead process's record, 31 s old, is taken over", RecordRecipe(ageSeconds: 31), .acquired),
        StoredCase(
            "live-31s", "a live process's record, 31 s old, is held", RecordRecipe(isDead: false, ageSeconds: 31), .refused),
        StoredCase(
            "live-1-day", "a live process's record, a day old, is held", RecordRecipe(isDead: false, ageSeconds: 86_400),
            .refused),
        StoredCase(
            "dead-future", "a dead process's record that lies an hour ahead is held", RecordRecipe(ageSeconds: -3600),
            .refused),
        StoredCase(
            "other-host-299s", "another host's record, 299 s old, is held",
            RecordRecipe(isOtherHost: true, ageSeconds: 299), .refused),
        StoredCase(
            "other-host-301s", "another host's record, 301 s old, is taken over",
            RecordRecipe(isOtherHost: true, ageSeconds: 301), .acquired),
    ]

    private static let short: [StoredCase] =
        [
            StoredCase(
                "empty-fresh", "an empty file is somebody's who is about to write: held",
                RecordRecipe(ageSeconds: 0, byteCount: 0), .refused),
            StoredCase(
                "empty-old", "an empty file of 35 s is taken over", RecordRecipe(ageSeconds: 35, byteCount: 0), .acquired),
        ]
        + [1, 50, 103].flatMap { count in
            [
                StoredCase(
                    "short-\(count)-fresh", "a fresh file cut to \(count) of 104 bytes is taken over or held, without an error",
                    RecordRecipe(isDead: false, ageSeconds: 0, byteCount: count), .either),
                StoredCase(
                    "short-\(count)-old", "one cut to \(count) of 104 bytes, 35 s old, is taken over",
                    RecordRecipe(isDead: false, ageSeconds: 35, byteCount: count), .acquired),
            ]
        }

    private static let corrupt: [StoredCase] = [
        StoredCase(
            "bad-magic-fresh", "a fresh file that is no record is taken over or held, without an error",
            RecordRecipe(isDead: false, ageSeconds: 0, hasWrongMagic: true), .either),
        StoredCase(
            "bad-magic-old", "a file that is no record, 35 s old, is taken over",
            RecordRecipe(isDead: false, ageSeconds: 35, hasWrongMagic: true), .acquired),
        StoredCase(
            "bad-checksum-fresh", "a wrong checksum in a file written just now is held: a write may be in flight",
            RecordRecipe(ageSeconds: 35, hasWrongChecksum: true), fileAge: 0, .refused),
        StoredCase(
            "bad-checksum-live", "a wrong checksum under a live process's id is held",
            RecordRecipe(isDead: false, ageSeconds: 35, hasWrongChecksum: true), .refused),
        StoredCase(
            "bad-checksum-old", "a wrong checksum, 35 s old, is judged by its fields: a dead process's is taken over",
            RecordRecipe(ageSeconds: 35, hasWrongChecksum: true), .acquired),
        StoredCase(
            "version-2", "a record of a later version is held, however old", RecordRecipe(ageSeconds: 35, version: 2),
            .refused),
        StoredCase(
            "longer-live", "more than 104 bytes are judged by the first 104: a live process's are held",
            RecordRecipe(isDead: false, ageSeconds: 35, byteCount: 150), .refused),
        StoredCase(
            "longer-dead", "more than 104 bytes of a dead process, 35 s old, are taken over, and 104 are left",
            RecordRecipe(ageSeconds: 35, byteCount: 150), .acquired),
    ]

    private static let guarded: [StoredCase] = [
        StoredCase(
            "guard-byte-dead", "a dead holder's record with guard byte 1 is taken over at once by who writes such",
            RecordRecipe(ageSeconds: 2, isGuarded: true), .acquiredIfGuarded),
        StoredCase(
            "guard-byte-live", "the same where the process id is somebody else's by now",
            RecordRecipe(isDead: false, ageSeconds: 2, isGuarded: true), .acquiredIfGuarded),
    ]
}
