import RVFLock
import SystemPackage

/// What is left of a process that is killed must stand in nobody's way, and must not be taken too early.
extension LockScenario {
    static let kills: [LockScenario] = [
        LockScenario(name: "killed-holding", summary: "the lock of a killed holder is had at once, or by its age") {
            bench throws(ScenarioEnd) in
            let (victim, next) = (try bench.start(), try bench.start())
            try bench.acquire(victim)
            victim.kill()
            return try succeed(bench, next)
        },
        LockScenario(name: "killed-acquiring", summary: "an acquisition that is killed leaves a whole record or none") {
            bench throws(ScenarioEnd) in
            try killing(bench) { victim throws(ScenarioEnd) in try victim.send(.acquire(bench.path.string)) }
        },
        LockScenario(name: "killed-taking-over", summary: "a take-over that is killed leaves a whole record or none") {
            bench throws(ScenarioEnd) in
            guard bench.namesItsHost else { throw .notApplicable("the implementation has no host name of its own") }
            return try killing(bench) { victim throws(ScenarioEnd) in
                try bench.place(RecordRecipe(ageSeconds: 40))
                try victim.send(.acquire(bench.path.string))
            }
        },
        LockScenario(name: "killed-releasing", summary: "a release that is killed leaves a whole record or none") {
            bench throws(ScenarioEnd) in
            try killing(bench) { victim throws(ScenarioEnd) in
                try bench.acquire(victim)
                try victim.send(.release)
            }
        },
    ]

    /// How long after a request the process is killed: what it does then takes some of these times on any machine.
    private static let delays: [Duration] = [0, 50, 150, 400, 1000, 3000, 10_000, 160_000].map { .microseconds($0) }

    private static func killing(
        _ bench: LockBench, _ begin: (PeerProcess) throws(ScenarioEnd) -> Void
    ) throws(ScenarioEnd) -> String {
        let next = try bench.start()
        var told: [String] = []
        for delay in delays {
            let victim = try bench.start()
            // It has come up, so that the delay counts from its reading the request.
            _ = try victim.ask(.status(bench.path.string))
            try begin(victim)
            try bench.sleep(delay)
            victim.kill()
            told.append(try succeed(bench, next))
        }
        let kinds = Set(told).sorted().map { kind in "\(told.count { $0 == kind }) × \(kind)" }
        return kinds.joined(separator: ", ")
    }

    /// The next process gets the lock by the rules for what was left, and gives it back.
    private static func succeed(_ bench: LockBench, _ next: PeerProcess) throws(ScenarioEnd) -> String {
        let told = try makeRoom(bench, next)
        try bench.acquireSoon(next)
        try bench.release(next)
        return told
    }

    /// Waits, by making what is left older, until it is to be taken over. Before that it must be refused.
    private static func makeRoom(_ bench: LockBench, _ next: PeerProcess) throws(ScenarioEnd) -> String {
        guard var bytes = bench.lockBytes else { return "no lock file left" }
        if bytes.isEmpty {
            try BenchFiles.setAge(of: bench.lockPath, seconds: 35)
            return "an empty file left"
        }
        let reading = LockRecordReading(bytes)
        guard var record = reading.record, reading.problems == [] else {
            throw .failed("what is left is no record: \(bytes.count) bytes, \(reading.problems)")
        }
        let age = try bench.context().nowNanoseconds / 1_000_000_000 - record.timestampNanoseconds / 1_000_000_000
        if age > 30 { return "the stale record left" }
        if record.isGuarded { return "a guarded record left" }
        let answer = try next.ask(.acquire(bench.path.string))
        guard answer.word == .held else { throw .failed("a dead process's record was taken over after \(age) s") }
        record.timestampNanoseconds -= 35_000_000_000
        bytes = record.encoded()
        try BenchFiles.put(bytes, at: bench.lockPath, ageSeconds: 35)
        return "a record left, refused until it was 30 s old"
    }
}
