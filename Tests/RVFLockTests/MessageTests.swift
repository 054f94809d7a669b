import RVFHost
import SystemPackage
import Testing

@testable import RVFLock

/// What people are told: which file, who, where, why, and what to do.
@Suite struct MessageTests {
    static let path: FilePath = "store/data.rvf"
    /// Made anew at each use, and in the middle of a minute, so that a slow machine reads the same.
    static var holder: LockHolder {
        LockHolder(
            record: Peer.record(process: 4711, host: "build-7", ageSeconds: 620, isGuarded: true), command: "rvf ingest",
            sinceNanoseconds: POSIXHost().wallClockNanoseconds() - 740_000_000_000)
    }

    static let reasons: [HeldReason] = [
        .kernelLock, .processAlive, .recentlyDead, .otherHostRecent, .otherHostNeverStale, .unknownVersion,
        .malformed(.checksum),
    ]

    @Test("Who holds a lock is said with the file, the process, the host, since when, and how that is known", arguments: reasons)
    func held(reason: HeldReason) {
        let text = "\(LockError.held(LockObstacle(kind: .held(reason), path: Self.path, holder: Self.holder)))"
        for part in ["store/data.rvf", "4711", "rvf ingest", "build-7", "12 min ago", "renewed 10 min ago"] {
            #expect(text.contains(part), "\(text)")
        }
        let reasons: [(HeldReason, String)] = [
            (.kernelLock, "kernel lock"), (.processAlive, "runs on this host"), (.recentlyDead, "try again"),
            (.otherHostRecent, "cannot be asked"), (.otherHostNeverStale, "rvf lock break"),
            (.unknownVersion, "newer software"), (.malformed(.checksum), "checksum"),
        ]
        #expect(reasons.contains { $0.0 == reason && text.contains($0.1) }, "\(text)")
    }

    @Test("A holder of whom nothing is known is not invented")
    func unknownHolder() {
        let text = "\(LockObstacle(kind: .held(.kernelLock), path: Self.path))"
        #expect(text.contains("unknown writer"))
        let unnamed = LockHolder(record: Peer.record(host: "", ageSeconds: 500))
        #expect("\(unnamed)".contains("an unnamed host"))
        let odd = LockHolder(record: LockRecord(
            processID: .max, hostName: [0xFF, 0x1B], timestampNanoseconds: .max,
            writerID: WriterID(bytes: [UInt8](repeating: 0, count: 16))!, isGuarded: false))
        let history = odd.history(nowNanoseconds: 0)
        #expect(history.contains("in the future"))
        #expect("\(odd)".contains("4294967295"))
    }

    @Test("Control characters of a record's host name do not reach the terminal")
    func escapes() {
        let record = LockRecord(
            processID: 1, hostName: Array("a\u{1B}[2J\nb".utf8), timestampNanoseconds: 0,
            writerID: WriterID(bytes: [UInt8](repeating: 0, count: 16))!, isGuarded: false)
        let text = "\(LockObstacle(kind: .held(.processAlive), path: Self.path, holder: LockHolder(record: record)))"
        #expect(!text.utf8.contains { $0 < 0x20 || $0 == 0x7F }, "\(text.debugDescription)")
    }

    @Test("Other obstacles say what to do")
    func obstacles() {
        let expectations: [(LockObstacle.Kind, [String])] = [
            (.heldInThisProcess, ["this very process", "share it"]),
            (.protectedFileLocked, ["flock", "fuser"]),
            (.initialising, ["data.rvf.lock", "30 s", "try again"]),
        ]
        for (kind, parts) in expectations {
            let text = "\(LockObstacle(kind: kind, path: Self.path, holder: Self.holder))"
            #expect(text.contains("store/data.rvf"))
            for part in parts { #expect(text.contains(part), "\(text)") }
        }
    }

    @Test("Each loss says that nothing more was written, and what happened")
    func losses() {
        let expectations: [(LossReason, String)] = [
            (.missing, "removed"), (.replaced(by: Self.holder), "4711"), (.overwritten(by: Self.holder), "build-7"),
            (.takenWhileFrozen(by: Self.holder), "stopped for more than 20 s"), (.renewalFailed, "renewed"),
            (.protectedFileReplaced, "protected file"), (.forked, "forked"),
        ]
        for (reason, part) in expectations {
            let text = "\(LockError.lost(reason, Self.path))"
            #expect(text.contains("store/data.rvf") && text.contains(part) && text.contains("open the file anew"), "\(text)")
        }
    }

    @Test("A failed system call is said with what was attempted on which file, and what may help")
    func systemCalls() {
        let advice: [(Errno, String)] = [
            (.permissionDenied, "permission"), (.notPermitted, "permission"), (.readOnlyFileSystem, "read-only"),
            (.noSpace, "free some space"), (.fileNameTooLong, "shorter name"), (.tooManyOpenFiles, "ulimit"),
            (.noSuchFileOrDirectory, "path right"), (.ioError, "\(Errno.ioError)"),
        ]
        let operations: [LockError.Operation] = [
            .openDirectory, .openProtectedFile, .createLock, .openLock, .readLock, .writeLock, .lockKernel, .takeOver,
            .removeLock, .renew, .validate, .syncLock, .createProtectedFile, .replaceProtectedFile, .handOver,
            .listDirectory,
        ]
        var texts: Set<String> = []
        for operation in operations {
            for (error, part) in advice {
                let text = "\(LockError.system(operation, Self.path, error))"
                #expect(text.contains("store/data.rvf") && text.contains("failed") && text.contains(part), "\(text)")
                texts.insert(text)
            }
        }
        #expect(texts.count == operations.count * advice.count, "no two say the same")
    }

    @Test("The other errors name the file and the way out")
    func otherErrors() {
        let obstacle = LockObstacle(kind: .held(.kernelLock), path: Self.path, holder: Self.holder)
        let expectations: [(LockError, [String])] = [
            (.cancelled(Self.path), ["cancelled", "nothing was left"]),
            (.handedOver(Self.path), ["handed over"]),
            (.handOverFailed(Self.path, "because"), ["because"]),
            (.notAFile(Self.path, .fifo), ["a FIFO", "move it away"]),
            (.notAFile(Self.path, .directory), ["a directory"]),
            (.notAFile(Self.path, .symbolicLink), ["a symbolic link"]),
            (.invalidPath(Self.path), ["does not name a file"]),
            (.protectedFileExists(Self.path), ["another program", "open it"]),
            (.hardLinked(Self.path), ["hard links"]),
            (.notLocked(Self.path), ["not locked"]),
            (.otherWriter(Self.path, Self.holder), ["4711", Self.holder.writerID.description, "look at it again"]),
            (.otherWriter(Self.path, nil), ["no readable writer"]),
            (.holderAlive(obstacle), ["refused", "4711"]),
        ]
        for (error, parts) in expectations {
            for part in parts + ["store/data.rvf"] { #expect("\(error)".contains(part), "\(error)") }
        }
    }

    @Test("A status is a sentence", arguments: [LockStatus.State.free, .held, .stale, .initialising, .unreadable(.invalidPath("x"))])
    func statuses(state: LockStatus.State) {
        let evidences: [LockStatus.Evidence?] =
            [nil, .kernelLock(4711), .kernelLock(12), .kernelLockOnProtectedFile(12)]
            + Self.reasons.map { .presumed($0) }
            + [StaleReason.guardReleased, .processDead, .otherHostOld, .emptyOld, .malformed(.size)].map { .stale($0) }
        for evidence in evidences {
            for holder in [nil, Self.holder] {
                let text = "\(LockStatus(state: state, path: Self.path, holder: holder, evidence: evidence))"
                #expect(text.contains("store/data.rvf"))
                #expect(text.hasSuffix("."))
                #expect(!text.contains("Optional("))
            }
        }
    }

    @Test("Ages are told in the unit that fits")
    func ages() {
        let second: Int64 = 1_000_000_000
        for (seconds, text) in [
            (0, "0 s ago"), (119, "119 s ago"), (120, "2 min ago"), (7199, "119 min ago"), (7200, "2 h ago"),
            (172_799, "47 h ago"), (172_800, "2 days ago"), (-1, "in the future by this host's clock"),
        ] as [(Int64, String)] {
            #expect(Age.text(from: 0, to: seconds * second) == text)
        }
        #expect(Age.text(from: .min, to: .max).hasSuffix("days ago"))
    }
}
