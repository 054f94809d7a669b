import Foundation
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Real processes that write to stores are killed at random instants, while others read.
///
/// `RVF_KILLS` says how often; 1,000 take some minutes.
@Suite("Kills", .serialized)
struct KillTests {
    private static let kills = ProcessInfo.processInfo.environment["RVF_KILLS"].flatMap(Int.init) ?? 60

    @Test(
        "after a kill the state is a committed one and none older than was acknowledged, the next writer has the lock at once, and readers never go back")
    func writer() async throws {
        try await aside {
            var killing = try WriterKilling(seed: .random(in: 0..<1_000_000))
            try killing.run(kills: Self.kills)
        }
    }

    @Test("a create that is killed leaves nothing or a whole store, and the next one works at once")
    func creator() async throws {
        try await aside {
            var killing = try CreatorKilling(seed: .random(in: 0..<1_000_000))
            try killing.run(kills: max(10, Self.kills / 5))
        }
    }
}

/// Something that a kill must not be able to bring about.
private struct Violation: Error, CustomStringConvertible {
    var description: String
}

// MARK: Writers

/// One store, one writer after another, and three readers.
private struct WriterKilling {
    private let scratch = Scratch()
    private let seed: UInt64
    private var killer: Killer
    /// Commits that some writer has acknowledged, or that were read.
    private var atLeast: UInt64 = 0
    private var successions = 0
    private var path: FilePath { scratch("data.rvf") }

    init(seed: UInt64) throws {
        self.seed = seed
        killer = Killer(seed: seed)
        try StoreWriter.create(at: path, dimension: 256).close()
    }

    mutating func run(kills: Int) throws {
        let readers = try ["mapped", "positional", "anew"].map { try probe("follow", "how=\($0)") }
        for reader in readers { try expect(reader.readLine() == "ready", "a reader did not start") }
        let looker = try probe("look")
        for turn in 0..<kills { try kill(turn, looker) }
        var told: [String] = []
        for reader in readers {
            reader.closeInput()
            told.append(try reader.awaitLine(startingWith: ""))
            let isRight = told[told.count - 1].hasPrefix("followed") && told[told.count - 1].hasSuffix("last=\(atLeast)")
            try expect(isRight, "seed \(seed), at commit \(atLeast), a reader: \(told)")
        }
        try sweep()
        print("kills: \(kills) at commit \(atLeast), \(successions) followed by a commit. \(killer.text)")
        print("    readers: \(told.joined(separator: "; "))")
    }

    private mutating func kill(_ turn: Int, _ looker: Probe) throws {
        let isIdle = Int.random(in: 0..<4, using: &killer.generator) == 0
        let victim = try probe("keep", "turn=\(turn)", "idle=\(isIdle ? 1 : 0)")
        let lines = try killer.kill(victim, startedBy: "opened")
        let note = "seed \(seed), turn \(turn), which ended with \(lines.suffix(4))"
        if let failure = lines.first(where: { $0.hasPrefix("failed") }) { throw Violation(description: "\(note): \(failure)") }
        let begun = lines.last("committing") ?? 0
        atLeast = max(atLeast, lines.last("committed") ?? 0)
        let found = try state(looker.ask("look"), note)
        guard (atLeast...max(atLeast, begun)).contains(found) else {
            throw Violation(description: "\(note): commit \(found) is found, where \(atLeast) was acknowledged and \(begun) begun")
        }
        atLeast = found
        // The others are followed by the next victim, which is killed in turn while it recovers.
        guard Bool.random(using: &killer.generator) else { return }
        successions += 1
        let next = try state(looker.ask("commit"), note)
        try expect(next == found + 1 && state(looker.ask("look"), note) == next, "\(note): commit \(next) after \(found)")
        atLeast = next
    }

    /// What was killed leaves private files, which a later process removes when they are old.
    private func sweep() throws {
        for name in scratch.names where name.hasPrefix(".rvf-") { try scratch(name).setBack(seconds: 60) }
        _ = try state(probe("look").ask("commit"), "seed \(seed), at the end")
        try expect(scratch.names == ["data.rvf"], "seed \(seed): \(scratch.names) are left")
        let report = try StoreVerification.run(at: path)
        try expect(report.isIntact, "seed \(seed): \(report.problems)")
    }

    private func probe(_ role: String, _ settings: String...) throws -> Probe {
        try Probe(role, path, ["seed=\(seed)"] + settings)
    }

    private func state(_ answer: String, _ note: String) throws -> UInt64 {
        guard let number = [answer].last("at") else { throw Violation(description: "\(note): \(answer)") }
        return number
    }

    private func expect(_ isSo: Bool, _ what: String) throws {
        if !isSo { throw Violation(description: what) }
    }
}

// MARK: Creators

/// Stores with numbered names, one creator after another, and a reader that waits for each.
private struct CreatorKilling {
    private let scratch = Scratch()
    private let seed: UInt64
    private var killer: Killer
    private var next = 0

    init(seed: UInt64) throws {
        self.seed = seed
        killer = Killer(seed: seed)
    }

    mutating func run(kills: Int) throws {
        let reader = try Probe("find-created", scratch("store"))
        _ = try reader.awaitLine(startingWith: "ready")
        var absent = 0
        for turn in 0..<kills {
            let victim = try Probe("create", scratch("store"), ["first=\(next)"])
            let lines = try killer.kill(victim, startedBy: "creating")
            let note = "seed \(seed), turn \(turn), which ended with \(lines.suffix(4))"
            let last = Int(lines.last("creating") ?? UInt64(next))
            for number in next...last {
                let isCreated = Int(lines.last("created") ?? 0) >= number && lines.contains("created \(number)")
                let isFilled = lines.contains("filled \(number)")
                if try !check(number, isCreated: isCreated, isFilled: isFilled, note) { absent += 1 }
            }
            next = last + 1
        }
        reader.closeInput()
        let told = try reader.awaitLine(startingWith: "")
        if told.hasPrefix("failed") { throw Violation(description: "seed \(seed): \(told)") }
        print("kills: \(kills) of creators, \(next) stores, \(absent) of them not there. \(killer.text)")
    }

    /// Looks at one store, and goes on in it, or creates it.
    ///
    /// - Returns: whether it was there.
    private func check(_ number: Int, isCreated: Bool, isFilled: Bool, _ note: String) throws -> Bool {
        let path = scratch("store-\(number)")
        let isThere = scratch.names.contains("store-\(number)")
        if isCreated, !isThere { throw Violation(description: "\(note): store \(number) is not there") }
        do {
            if isThere {
                let rows = try StoreReader(at: path).rows()
                let row = [UInt64(number): [Float(number)]]
                guard rows == row || (!isFilled && rows.isEmpty) else { throw Violation(description: "it has \(rows)") }
            }
            var writer = isThere ? try StoreWriter.open(at: path) : try StoreWriter.create(at: path, dimension: 1)
            try writer.append([Row(id: UInt64(number), vector: [Float(number)])])
            try writer.close()
        } catch {
            throw Violation(description: "\(note), store \(number): \(error)")
        }
        return isThere
    }
}

// MARK: Killing

/// Waits a random while, and kills. What the process said last tells what it was about.
private struct Killer {
    var generator: SeededGenerator
    private var counts: [String: Int] = [:]
    /// What the last one took.
    private var startMicroseconds: UInt32 = 20_000

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    /// - Parameter beginning: the beginning of the line by which a process tells that it has started.
    /// - Returns: all that it said.
    mutating func kill(_ victim: Probe, startedBy beginning: String) throws -> [String] {
        var lines: [String] = []
        if Int.random(in: 0..<4, using: &generator) == 0 {
            usleep(.random(in: 0...(startMicroseconds * 3 / 2), using: &generator))
        } else {
            let start = ContinuousClock.now
            while let line = victim.readLine() {
                lines.append(line)
                if line.hasPrefix(beginning) { break }
            }
            startMicroseconds = UInt32(clamping: Int64((ContinuousClock.now - start) / .microseconds(1)))
            // Of different lengths, so that not only what comes first is hit.
            usleep(.random(in: 0...[10_000, 50_000, 150_000].randomElement(using: &generator)!, using: &generator))
        }
        victim.kill(SIGKILL)
        let ending = victim.end()
        while let line = victim.readLine() { lines.append(line) }
        guard ending == .killed(SIGKILL) else {
            throw Violation(description: "a process ended by itself, \(ending), with \(lines.suffix(4))")
        }
        counts[Self.phase(lines.last), default: 0] += 1
        return lines
    }

    private static func phase(_ lastLine: String?) -> String {
        let words = (lastLine ?? "").split(separator: " ").map(String.init)
        return switch words.first {
        case nil: "starting"
        case "acquiring": "acquiring the lock"
        case "acquired": "opening and recovering"
        case "committing": "committing (\(words[words.count - 1]))"
        case "compacting": "compacting"
        case "releasing": "releasing the lock"
        case "creating": "creating"
        case "created": "committing (first)"
        default: "in between"
        }
    }

    var text: String {
        "Killed " + counts.sorted { $0.value > $1.value }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    }
}

extension [String] {
    /// The highest number behind a word.
    fileprivate func last(_ word: String) -> UInt64? {
        compactMap { line in
            let words = line.split(separator: " ")
            return words.count > 1 && words[0] == word ? UInt64(words[1]) : nil
        }.max()
    }
}

/// Does long work on a thread of its own: the few threads of the tests are for tests that wait.
private func aside(_ work: @escaping @Sendable () throws -> Void) async throws {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result(catching: work)) }.start()
    }
}
