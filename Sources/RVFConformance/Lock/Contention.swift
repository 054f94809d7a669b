import RVFHost
import SystemPackage

/// Several processes that take the lock and give it back as often as they can, watched by a referee. One thread talks
/// to all of them.
struct Contention {
    private enum Phase {
        case idle(until: Int64)
        case acquiring
        case holding(from: Int64, until: Int64)
        case releasing
    }

    private struct Contender {
        var peer: PeerProcess
        var command: [String]
        var phase = Phase.idle(until: 0)
        var asked = PeerRequest.release
        var since: Int64 = 0
        var turns = 0
    }

    private let bench: LockBench
    private let killsHolders: Bool
    private var contenders: [Contender] = []
    private var referee = IntervalReferee()
    private var killCount = 0
    /// The same every time.
    private var random = SplitMix(seed: 20)

    init(_ bench: LockBench, _ commands: [[String]], killsHolders: Bool) throws(ScenarioEnd) {
        self.bench = bench
        self.killsHolders = killsHolders
        for (index, command) in commands.enumerated() {
            let peer = try bench.start(command, name: Self.name(index, command, bench))
            contenders.append(Contender(peer: peer, command: command))
        }
    }

    static func name(_ index: Int, _ command: [String], _ bench: LockBench) -> String {
        (command == bench.options.command ? "process " : "rvf's process ") + "\(index + 1)"
    }

    private var now: Int64 { POSIXHost().bootClockNanoseconds() }

    /// Until the time is over, and everybody has given the lock back.
    mutating func run() throws(ScenarioEnd) -> String {
        let end = now + Int64(bench.options.contention / .nanoseconds(1))
        while true {
            try bench.limits.check()
            var isAtWork = false
            for index in contenders.indices {
                try step(index, isOver: now >= end)
                if case .idle = contenders[index].phase { continue }
                isAtWork = true
            }
            if now >= end, !isAtWork { break }
            // A millisecond, for those whose time of holding or resting ends.
            _ = PeerProcess.await(contenders.map(\.peer.output), milliseconds: 1)
        }
        if let evidence = referee.evidence { throw .failed(evidence) }
        let total = contenders.reduce(0) { $0 + $1.turns }
        guard total > 0 else { throw .failed("nobody ever got the lock") }
        let turns = contenders.map { "\($0.turns)" }.joined(separator: ", ")
        return "\(total) acquisitions (\(turns))" + (killsHolders ? ", \(killCount) holders killed" : "")
    }

    private mutating func step(_ index: Int, isOver: Bool) throws(ScenarioEnd) {
        switch contenders[index].phase {
        case .idle(let until):
            if !isOver, now >= until { try ask(index, .acquire(bench.path.string), .acquiring) }
        case .holding(let from, let until):
            if now >= until { try leave(index, from) }
        case .acquiring, .releasing:
            try contenders[index].peer.receive()
            let (peer, asked) = (contenders[index].peer, contenders[index].asked)
            if let answer = try peer.next(to: asked) { return try hear(index, answer) }
            if peer.hasEnded { throw .failed("\(peer.name) ended without an answer to `\(asked.line)`") }
            if now - contenders[index].since > Int64(bench.options.answerLimit / .nanoseconds(1)) {
                throw .failed("\(peer.name) did not answer `\(asked.line)` within \(bench.options.answerLimit)")
            }
        }
    }

    private mutating func ask(_ index: Int, _ request: PeerRequest, _ phase: Phase) throws(ScenarioEnd) {
        contenders[index].asked = request
        contenders[index].phase = phase
        contenders[index].since = now
        try contenders[index].peer.send(request)
    }

    private mutating func hear(_ index: Int, _ answer: PeerAnswer) throws(ScenarioEnd) {
        let time = now
        switch (contenders[index].phase, answer.word) {
        case (.acquiring, .ok):
            contenders[index].turns += 1
            contenders[index].phase = .holding(from: time, until: time + random.below(1_000_000))
        case (.acquiring, .held), (.releasing, .ok):
            contenders[index].phase = .idle(until: time + random.below(500_000))
        default:
            let request = contenders[index].asked.line
            // Why it was lost: most often since another had the lock at the same time.
            throw .failed(
                "\(contenders[index].peer.name) answered `\(request)` by “\(answer.line)” in the middle of it"
                    + (referee.evidence.map { "; " + $0 } ?? ""))
        }
    }

    private mutating func leave(_ index: Int, _ from: Int64) throws(ScenarioEnd) {
        let peer = contenders[index].peer
        // Before anything is done that ends the hold.
        referee.add(.init(holder: peer.name, start: from, end: now))
        guard killsHolders, random.below(8) == 0 else { return try ask(index, .release, .releasing) }
        peer.kill()
        killCount += 1
        let name = peer.name.replacing(" (again)", with: "") + " (again)"
        contenders[index].peer = try bench.start(contenders[index].command, name: name)
        contenders[index].phase = .idle(until: 0)
    }
}

/// A generator that needs no seed from the system, so that a run can be had again.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// From 0 on, and below the bound.
    mutating func below(_ bound: Int64) -> Int64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return Int64((value ^ value >> 31) % UInt64(bound))
    }
}
