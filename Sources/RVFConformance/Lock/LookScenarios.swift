import RVFHost
import SystemPackage

/// Kernel locks, onlookers, and what has the lock's name without being a file.
extension LockScenario {
    static let guards: [LockScenario] = [
        LockScenario(name: "guard-on-lock-file", summary: "an old record whose file somebody has locked is held") {
            bench throws(ScenarioEnd) in
            try underGuard(bench) { () throws(ScenarioEnd) in
                try bench.place(RecordRecipe(isOtherHost: true, ageSeconds: 1000, isGuarded: true))
                return bench.lockPath
            }
        },
        LockScenario(name: "guard-on-protected-file", summary: "a protected file that somebody has locked is held") {
            bench throws(ScenarioEnd) in
            try underGuard(bench) { () throws(ScenarioEnd) in bench.path }
        },
    ]

    private static func underGuard(
        _ bench: LockBench, _ prepare: () throws(ScenarioEnd) -> FilePath
    ) throws(ScenarioEnd) -> String {
        guard bench.introduction.isGuarded else {
            throw .notApplicable("the implementation writes guard byte 0 here")
        }
        let path = try prepare()
        let before = bench.lockBytes
        guard let file = BenchFiles.opened(path, .readWrite) else { throw .failed("the kit cannot open \(path)") }
        defer { try? file.close() }
        guard (try? POSIXHost().tryLock(file)) == true else { throw .failed("the kit cannot lock \(path)") }
        let peer = try bench.start()
        let answer = try peer.ask(.acquire(bench.path.string))
        guard answer.word == .held else { throw .failed("answered “\(answer.line)”") }
        guard bench.lockBytes == before else { throw .failed("was refused, but the lock file was changed") }
        return ""
    }

    static let looks: [LockScenario] = [
        LockScenario(name: "status-free", summary: "a file that nobody has locked is free") {
            bench throws(ScenarioEnd) in
            try expect(.free, try bench.start().ask(.status(bench.path.string)))
            return ""
        },
        LockScenario(name: "status-held", summary: "a lock that another process has is held, and not disturbed") {
            bench throws(ScenarioEnd) in
            let (holder, onlooker) = (try bench.start(), try bench.start())
            try bench.acquire(holder)
            let answer = try onlooker.ask(.status(bench.path.string))
            try expect(.held, answer)
            if let named = answer.value(of: "pid"), !holder.owns(UInt32(named) ?? 0) {
                throw .failed("names process \(named); the holder is \(holder.processID)")
            }
            try bench.checkRecord(of: holder, PeerAnswer(.ok))
            try bench.release(holder)
            return ""
        },
        LockScenario(name: "status-stale", summary: "what an acquisition would take over is stale, or free") {
            bench throws(ScenarioEnd) in
            let bytes = try bench.place(RecordRecipe(isOtherHost: true, ageSeconds: 400))
            let answer = try bench.start().ask(.status(bench.path.string))
            if answer.word != .free { try expect(.stale, answer) }
            guard bench.lockBytes == bytes else { throw .failed("the look changed the lock file") }
            return ""
        },
    ]

    static let oddNames: [LockScenario] = [
        LockScenario(name: "symbolic-link", summary: "a link to nothing at the lock's name is refused") {
            bench throws(ScenarioEnd) in
            let victim = bench.directory.appending("victim")
            try BenchFiles.makeLink(bench.lockPath, to: victim)
            let told = try refuses(bench, .symbolicLink)
            guard BenchFiles.kind(of: victim) == nil else { throw .failed("a file was made where the link leads") }
            return told
        },
        LockScenario(name: "symbolic-link-to-record", summary: "a link to a stale record at the lock's name is refused") {
            bench throws(ScenarioEnd) in
            let victim = bench.directory.appending("victim")
            let bytes = RecordRecipe(isOtherHost: true, ageSeconds: 400).bytes(in: try bench.context())
            try BenchFiles.put(bytes, at: victim, ageSeconds: 400)
            try BenchFiles.makeLink(bench.lockPath, to: victim)
            let told = try refuses(bench, .symbolicLink)
            guard BenchFiles.contents(of: victim) == bytes else { throw .failed("the file was changed where the link leads") }
            return told
        },
        LockScenario(name: "directory", summary: "a directory at the lock's name is refused") {
            bench throws(ScenarioEnd) in
            try BenchFiles.makeDirectory(bench.lockPath)
            return try refuses(bench, .directory)
        },
        LockScenario(name: "fifo", summary: "a FIFO at the lock's name is refused, and nobody hangs") {
            bench throws(ScenarioEnd) in
            try BenchFiles.makeFIFO(bench.lockPath)
            return try refuses(bench, .fifo)
        },
    ]

    private static func refuses(_ bench: LockBench, _ kind: FileStatus.Kind) throws(ScenarioEnd) -> String {
        let answer = try bench.start().ask(.acquire(bench.path.string))
        if answer.word == .ok { throw .failed("the lock was given all the same") }
        guard BenchFiles.kind(of: bench.lockPath) == kind else { throw .failed("it was removed, or replaced") }
        return answer.word == .error ? "" : "told by “\(answer.line)”, where an error would say why"
    }
}
