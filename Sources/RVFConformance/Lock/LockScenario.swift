import RVFLock
import SystemPackage

/// One thing that an implementation of the lock must do. A value: what it does is in `run`, which throws what is wrong
/// and gives what is worth telling of a success.
struct LockScenario: Sendable {
    var name: String
    var summary: String
    var run: @Sendable (LockBench) throws(ScenarioEnd) -> String

    /// The first of all: without it nothing else can be tried.
    static let introductionName = "introduction"

    static let all: [LockScenario] =
        holding + StoredCase.all.map(stored) + guards + robbed + looks + kills + oddNames + contention

    // MARK: Holding

    static let holding: [LockScenario] = [
        LockScenario(name: "record", summary: "the lock file holds a good record of the holder") {
            bench throws(ScenarioEnd) in
            let peer = try bench.start()
            try bench.checkRecord(of: peer, try bench.acquire(peer))
            try bench.release(peer)
            return ""
        },
        LockScenario(name: "writer-id", summary: "each acquisition has a writer id of its own") {
            bench throws(ScenarioEnd) in
            let peer = try bench.start()
            var ids: [String] = []
            for _ in 0..<3 {
                ids.append(try bench.checkRecord(of: peer, try bench.acquire(peer)).writerID.description)
                try bench.release(peer)
            }
            guard Set(ids).count == ids.count else { throw .failed("three acquisitions had the ids \(ids)") }
            return ""
        },
        LockScenario(name: "no-protected-file", summary: "a file that does not exist yet can be locked") {
            bench throws(ScenarioEnd) in
            BenchFiles.remove(bench.path)
            let peer = try bench.start()
            try bench.checkRecord(of: peer, try bench.acquire(peer))
            try bench.release(peer)
            return ""
        },
        LockScenario(name: "refused-while-held", summary: "a second process is refused, and changes nothing") {
            bench throws(ScenarioEnd) in
            let (first, second) = (try bench.start(), try bench.start())
            let record = try bench.checkRecord(of: first, try bench.acquire(first))
            let answer = try second.ask(.acquire(bench.path.string))
            guard answer.word == .held else { throw .failed("\(second.name) was answered “\(answer.line)”") }
            if let named = answer.value(of: "pid"), named != "\(record.processID)" {
                throw .failed("the refusal names process \(named); the holder is \(record.processID)")
            }
            let now = try bench.checkRecord(of: first, PeerAnswer(.ok))
            guard now.writerID == record.writerID else { throw .failed("the refused acquisition changed the record") }
            try bench.release(first)
            try bench.acquire(second)
            try bench.checkRecord(of: second, PeerAnswer(.ok))
            try bench.release(second)
            return answer.value(of: "pid") == nil ? "the refusal does not name the holder (`pid=` is optional)" : ""
        },
        LockScenario(name: "again-and-again", summary: "the lock can be had fifty times in a row, and leaves nothing") {
            bench throws(ScenarioEnd) in
            let peer = try bench.start()
            for _ in 0..<50 {
                try bench.acquire(peer)
                try bench.release(peer)
            }
            let names = BenchFiles.names(in: bench.directory).filter { $0 != "data.rvf" }
            guard names.isEmpty else { throw .failed("there is left behind: \(names.joined(separator: ", "))") }
            return ""
        },
        LockScenario(name: "exit", summary: "`exit` ends the process") {
            bench throws(ScenarioEnd) in
            let peer = try bench.start()
            try peer.send(.exit)
            guard try peer.ends() else { throw .failed("the process still runs \(bench.options.answerLimit) later") }
            return ""
        },
    ]

    // MARK: What stands there already

    private static func stored(_ stored: StoredCase) -> LockScenario {
        LockScenario(name: stored.name, summary: stored.summary) {
            bench throws(ScenarioEnd) in
            if stored.needsHostName(), !bench.namesItsHost {
                throw .notApplicable("the implementation has no host name of its own in its records")
            }
            let (peer, bytes, answer) = try ask(stored, bench)
            let isGuarded = bench.introduction.isGuarded
            switch (answer.word, stored.expectation) {
            case (.error, _): throw .failed("answered “\(answer.line)”")
            case (.ok, .refused): throw .failed("was taken over")
            case (.held, .acquired): throw .failed("answered “\(answer.line)”")
            case (.held, .acquiredIfGuarded) where isGuarded: throw .failed("answered “\(answer.line)”")
            case (.ok, .acquiredIfGuarded) where !isGuarded:
                throw .failed("was taken over by who does not write the guard byte here")
            default: break
            }
            if answer.word == .ok {
                try bench.checkRecord(of: peer, answer)
                try bench.release(peer)
                return stored.expectation == .either ? "taken over" : ""
            }
            guard bench.lockBytes == bytes else { throw .failed("was refused, but the lock file was changed") }
            return stored.expectation == .either ? "held" : ""
        }
    }

    /// Puts the case's file there, and asks for the lock. On a machine so busy that a record has grown too old by the
    /// time it is judged, that is done again.
    private static func ask(
        _ stored: StoredCase, _ bench: LockBench
    ) throws(ScenarioEnd) -> (PeerProcess, [UInt8], PeerAnswer) {
        for _ in 0..<10 {
            let peer = try bench.start()
            // Once it has answered this, it has come up.
            _ = try peer.ask(.status(bench.path.string))
            let bytes = try bench.place(stored.recipe, fileAgeSeconds: stored.fileAgeSeconds)
            let start = ContinuousClock.now
            let answer = try peer.ask(.acquire(bench.path.string))
            let passed = (ContinuousClock.now - start) / .seconds(1)
            // A tenth of a second for what has passed before the start.
            if answer.word != .ok || passed + 0.1 < Double(stored.marginSeconds ?? .max) { return (peer, bytes, answer) }
            peer.kill()
            BenchFiles.remove(bench.lockPath)
        }
        throw .notApplicable("the answers take so long here that the record grows too old meanwhile")
    }

    // MARK: Robbed holders

    private static let other = RecordRecipe(isDead: false, isOtherHost: true, ageSeconds: 0)

    static let robbed: [LockScenario] = [
        LockScenario(
            name: "release-replaced", summary: "a release leaves the lock alone that was put in its place"
        ) {
            bench throws(ScenarioEnd) in
            try releaseRobbed(bench) { bytes throws(ScenarioEnd) in try BenchFiles.put(bytes, at: bench.lockPath) } },
        LockScenario(
            name: "release-overwritten", summary: "a release leaves the lock alone that was written into its file"
        ) {
            bench throws(ScenarioEnd) in
            try releaseRobbed(bench) { bytes throws(ScenarioEnd) in try BenchFiles.overwrite(bytes, at: bench.lockPath) }
        },
        LockScenario(name: "release-removed", summary: "a release of a lock whose file is gone ends, and makes none") {
            bench throws(ScenarioEnd) in
            let peer = try bench.start()
            try bench.acquire(peer)
            BenchFiles.remove(bench.lockPath)
            let answer = try peer.ask(.release)
            guard BenchFiles.kind(of: bench.lockPath) == nil else { throw .failed("there is a lock file again") }
            try bench.acquire(peer)
            try bench.release(peer)
            return answer.word == .lost ? "" : "told by “\(answer.line)”"
        },
        LockScenario(name: "validate", summary: "a holder that is not disturbed is told so") {
            bench throws(ScenarioEnd) in
            let peer = try bench.start()
            try bench.acquire(peer)
            try expect(.ok, try peer.ask(.validate))
            try bench.release(peer)
            return ""
        },
        LockScenario(name: "validate-removed", summary: "a holder whose lock file is gone is told so") {
            bench throws(ScenarioEnd) in
            try validate(bench) { () throws(ScenarioEnd) in BenchFiles.remove(bench.lockPath) }
        },
        LockScenario(name: "validate-replaced", summary: "a holder whose lock file was replaced is told so") {
            bench throws(ScenarioEnd) in
            try validate(bench) { () throws(ScenarioEnd) in
                try BenchFiles.put(other.bytes(in: try bench.context()), at: bench.lockPath)
            }
        },
        LockScenario(name: "validate-overwritten", summary: "a holder whose record was overwritten is told so") {
            bench throws(ScenarioEnd) in
            try validate(bench) { () throws(ScenarioEnd) in
                try BenchFiles.overwrite(other.bytes(in: try bench.context()), at: bench.lockPath)
            }
        },
    ]

    private static func releaseRobbed(
        _ bench: LockBench, _ rob: ([UInt8]) throws(ScenarioEnd) -> Void
    ) throws(ScenarioEnd) -> String {
        let peer = try bench.start()
        try bench.acquire(peer)
        let bytes = other.bytes(in: try bench.context())
        try rob(bytes)
        let answer = try peer.ask(.release)
        guard bench.lockBytes == bytes else { throw .failed("the other's lock is gone, or changed: " + bench.lockText) }
        return answer.word == .lost ? "" : "told by “\(answer.line)”"
    }

    private static func validate(
        _ bench: LockBench, _ rob: () throws(ScenarioEnd) -> Void
    ) throws(ScenarioEnd) -> String {
        let peer = try bench.start()
        try bench.acquire(peer)
        try rob()
        try expect(.lost, try peer.ask(.validate))
        return ""
    }

    static func expect(_ word: PeerAnswer.Word, _ answer: PeerAnswer) throws(ScenarioEnd) {
        if answer.word == .unsupported { throw .notApplicable("the implementation answers `unsupported`") }
        guard answer.word == word else { throw .failed("answered “\(answer.line)”") }
    }
}

extension LockBench {
    /// Names that hosts have for want of one are nobody's.
    var namesItsHost: Bool {
        !["", "unknown", "localhost"].contains(String(decoding: introduction.hostName, as: UTF8.self))
    }
}
