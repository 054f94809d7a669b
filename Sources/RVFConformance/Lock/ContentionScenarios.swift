import SystemPackage

extension LockScenario {
    static let contention: [LockScenario] = [
        LockScenario(name: "contention", summary: "of several processes one at a time has the lock") {
            bench throws(ScenarioEnd) in
            var contention = try Contention(bench, same(bench), killsHolders: false)
            return try contention.run()
        },
        LockScenario(name: "contention-with-kills", summary: "the same where holders are killed now and then") {
            bench throws(ScenarioEnd) in
            guard bench.introduction.isGuarded else {
                throw .notApplicable("without guard byte 1 each killed holder would cost 30 s")
            }
            var contention = try Contention(bench, same(bench), killsHolders: true)
            return try contention.run()
        },
        LockScenario(name: "contention-over-stale", summary: "of several processes one takes a stale lock over") {
            bench throws(ScenarioEnd) in
            try rounds(bench, same(bench))
        },
        LockScenario(name: "contention-with-rvf", summary: "the same among this implementation and rvf's own") {
            bench throws(ScenarioEnd) in
            var contention = try Contention(bench, try mixed(bench), killsHolders: false)
            return try contention.run()
        },
        LockScenario(name: "contention-with-rvf-over-stale", summary: "the same over stale locks") {
            bench throws(ScenarioEnd) in
            try rounds(bench, try mixed(bench))
        },
    ]

    private static func same(_ bench: LockBench) -> [[String]] {
        Array(repeating: bench.options.command, count: bench.options.contenderCount)
    }

    private static func mixed(_ bench: LockBench) throws(ScenarioEnd) -> [[String]] {
        guard let own = bench.options.ownCommand else { throw .notApplicable("rvf's own command was not found") }
        return (0..<bench.options.contenderCount).map { $0 % 2 == 0 ? bench.options.command : own }
    }

    private static let staleRecipes = [
        RecordRecipe(ageSeconds: 40), RecordRecipe(isOtherHost: true, ageSeconds: 400),
        RecordRecipe(ageSeconds: 40, byteCount: 0),
    ]

    /// Again and again a stale lock, and all at it at once. Nobody gives back what it got before all have answered, so
    /// two that got it have it together.
    private static func rounds(_ bench: LockBench, _ commands: [[String]]) throws(ScenarioEnd) -> String {
        var peers: [PeerProcess] = []
        for (index, command) in commands.enumerated() {
            peers.append(try bench.start(command, name: Contention.name(index, command, bench)))
        }
        let recipes = bench.namesItsHost ? staleRecipes : Array(staleRecipes.dropFirst())
        let end = ContinuousClock.now + bench.options.contention
        var count = 0
        while count < recipes.count || ContinuousClock.now < end {
            try bench.place(recipes[count % recipes.count])
            count += 1
            try round(bench, peers, count)
        }
        return "\(count) rounds"
    }

    private static func round(_ bench: LockBench, _ peers: [PeerProcess], _ number: Int) throws(ScenarioEnd) {
        let request = PeerRequest.acquire(bench.path.string)
        for peer in peers { try peer.send(request) }
        var winners: [PeerProcess] = []
        for peer in peers {
            let answer = try peer.answer(to: request)
            if answer.word == .error { throw .failed("\(peer.name) answered “\(answer.line)” in round \(number)") }
            if answer.word == .ok { winners.append(peer) }
        }
        if winners.count > 1 {
            let names = winners.map(\.name).joined(separator: " and ")
            throw .failed("\(names) had the lock at once, in round \(number)")
        }
        guard let winner = winners.first else {
            // All may have given way to each other; then one by itself must get it.
            try bench.acquireSoon(peers[0])
            return try bench.release(peers[0])
        }
        do throws(ScenarioEnd) {
            try bench.checkRecord(of: winner, PeerAnswer(.ok))
        } catch {
            guard case .failed(let why) = error else { throw error }
            throw .failed("\(winner.name) was robbed in round \(number): \(why)")
        }
        try bench.release(winner)
    }
}
