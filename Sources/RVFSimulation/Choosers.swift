/// Takes every path through the choices once, but for those that lead to a state that has been seen.
final class PathChooser: Chooser, @unchecked Sendable {
    // Used by one thread at a time: the one whose process has the turn.
    struct Step {
        var chosen: Int
        var choices: [Choice]
    }

    private(set) var path: [Step] = []
    private(set) var visited: Set<Int> = []
    private(set) var stepCount = 0
    private var depth = 0

    func begin() { depth = 0 }

    func known() -> Choice? {
        guard depth < path.count else { return nil }
        stepCount += 1
        defer { depth += 1 }
        return path[depth].choices[path[depth].chosen]
    }

    func choose(among choices: [Choice], in state: WorldState, current: Int?) -> Int? {
        precondition(depth == path.count, "what is known is to be done as it was done before")
        stepCount += 1
        var hasher = Hasher()
        hasher.combine(state)
        // What it costs to go on with another process depends on who has the turn.
        if state.budget.preemptions != nil { hasher.combine(current) }
        // Of 64 bits: that two states of ten million have one hash has a probability of about one in 400,000.
        guard visited.insert(hasher.finalize()).inserted else { return nil }
        path.append(Step(chosen: 0, choices: choices))
        depth = path.count
        return 0
    }

    /// On to the next path; false where all have been taken.
    func advance() -> Bool {
        while let last = path.last {
            if last.chosen + 1 < last.choices.count {
                path[path.count - 1].chosen += 1
                return true
            }
            path.removeLast()
        }
        return false
    }
}

/// Chooses at random: mostly that things go on as they are, seldom that something goes wrong.
final class RandomChooser: Chooser, @unchecked Sendable {
    // Used by one thread at a time: the one whose process has the turn.
    private var random: SplitMix64
    private(set) var taken: [Int] = []
    /// How likely a turn changes hands, in percent: some runs have long turns, some short ones.
    private let restlessness: Int
    /// How likely a step comes out otherwise than it usually does, in percent.
    private let contrariness: Int

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        restlessness = [2, 10, 30, 70].randomElement(using: &random) ?? 10
        contrariness = [5, 30, 90].randomElement(using: &random) ?? 30
    }

    func choose(among choices: [Choice], in state: WorldState, current: Int?) -> Int? {
        let runs = choices.indices.filter { choices[$0].isRun }
        let others = choices.indices.filter { !choices[$0].isRun }
        let chosen: Int
        if case .outcome = choices[0] {
            let isContrary = Int.random(in: 0..<100, using: &random) < contrariness
            chosen = isContrary ? Int.random(in: 1..<choices.count, using: &random) : 0
        } else if let other = others.randomElement(using: &random), Int.random(in: 0..<200, using: &random) == 0 {
            chosen = other
        } else if Int.random(in: 0..<100, using: &random) < restlessness {
            chosen = runs.randomElement(using: &random) ?? 0
        } else {
            chosen = 0
        }
        taken.append(chosen)
        return chosen
    }
}

/// Makes the choices of a list, and beyond its end lets things go on as they are.
final class ListChooser: Chooser, @unchecked Sendable {
    // Used by one thread at a time: the one whose process has the turn.
    private let list: [Int]
    private var next = 0

    init(_ list: [Int]) {
        self.list = list
    }

    func choose(among choices: [Choice], in state: WorldState, current: Int?) -> Int? {
        defer { next += 1 }
        return next < list.count ? list[next] % choices.count : 0
    }
}

/// Asks a chooser until the world has come to its end, and then lets things go on as they are.
final class Relay: Chooser, @unchecked Sendable {
    // Used by one thread at a time: the one whose process has the turn.
    private var chooser: (any Chooser)?

    init(_ chooser: any Chooser) {
        self.chooser = chooser
    }

    func calm() { chooser = nil }

    func known() -> Choice? { chooser?.known() }

    func choose(among choices: [Choice], in state: WorldState, current: Int?) -> Int? {
        guard let chooser else { return 0 }
        return chooser.choose(among: choices, in: state, current: current)
    }
}

/// Choices as text to be copied from a message: numbers with points between, a run of zeros as `z` and its length.
enum ChoiceText {
    static func encode(_ choices: [Int]) -> String {
        var words: [String] = []
        var zeros = 0
        // Zeros at the end are what happens anyway.
        for choice in choices[..<((choices.lastIndex { $0 != 0 } ?? -1) + 1)] {
            if choice == 0 {
                zeros += 1
                continue
            }
            if zeros > 0 { words.append("z\(zeros)") }
            zeros = 0
            words.append("\(choice)")
        }
        return words.joined(separator: ".")
    }

    static func decode(_ text: String) -> [Int] {
        text.split(separator: ".").flatMap { word in
            word.hasPrefix("z") ? [Int](repeating: 0, count: Int(word.dropFirst()) ?? 0) : [Int(word) ?? 0]
        }
    }
}
