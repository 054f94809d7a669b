/// Follows one process through the model: all the places where it can be, as far as its calls so far tell.
struct StepMatcher {
    typealias Label = StepTable.Label

    /// A step that was made, and those before it.
    final class Walk: Sendable {
        let label: Label
        /// In which event of the world; nil where no call is part of the step.
        let event: Int?
        let variants: StepTable.Variants
        let previous: Walk?

        init(_ label: Label, event: Int?, _ variants: StepTable.Variants, after previous: Walk?) {
            self.label = label
            self.event = event
            self.variants = variants
            self.previous = previous
        }

        /// The steps in their order.
        var steps: [Walk] {
            var steps: [Walk] = []
            var walk: Walk? = self
            while let step = walk {
                steps.append(step)
                walk = step.previous
            }
            return steps.reversed()
        }
    }

    struct Position {
        var rule: Int
        /// The first part that may come next.
        var part = 0
        /// In which event the model's step was made, if it was yet.
        var event: Int?
        /// The variants in which the walk since the last `begin` is possible.
        var variants: StepTable.Variants
        var walk: Walk?
    }

    private let rules: CompiledRules
    private(set) var positions: [Position]

    /// - Parameter isSuccessor: whether the process is one that is handed a lock.
    init(_ rules: CompiledRules, isSuccessor: Bool = false) {
        self.rules = rules
        let start = isSuccessor ? rules.receive : rules.begin
        positions = rules.starts(of: start, variants: isSuccessor ? .successor : .all, after: nil)
    }

    /// Goes on by one call. False where no step of the model has it in it; the positions then stay as they were.
    mutating func take(_ sign: Sign, event: Int) -> Bool {
        var next: [Position] = []
        for position in positions { advance(position, by: sign.bit, event: event, into: &next) }
        if next.isEmpty { return false }
        positions = next
        return true
    }

    /// Goes on by a call that may also be none of the step's business.
    mutating func takeLoosely(_ sign: Sign, event: Int) {
        let before = positions
        if take(sign, event: event) {
            positions += before.filter { old in
                !positions.contains { $0.rule == old.rule && $0.part == old.part }
            }
        }
    }

    /// A call has failed that no step of the model lets fail: the process goes on as if nothing was, or lets go.
    mutating func recover(at names: [String]) {
        let walk = positions.first?.walk
        for label in names.compactMap(rules.table.label) { positions += rules.starts(of: label, variants: .all, after: walk) }
    }

    private func advance(_ position: Position, by bit: UInt128, event: Int, into next: inout [Position]) {
        let rule = rules.rules[position.rule]
        var index = position.part
        while index < rule.parts.count {
            let part = rule.parts[index]
            if part.signs & bit != 0 {
                var moved = position
                moved.part = part.count == .any ? index : index + 1
                if part.isDecisive { moved.event = event }
                if !next.contains(where: { $0.rule == moved.rule && $0.part == moved.part }) { next.append(moved) }
            }
            if part.count == .once { return }
            index += 1
        }
        let walk = Walk(rule.label, event: position.event, position.variants, after: position.walk)
        for exit in rule.exits {
            var variants = rules.table.variants(from: rule.label, to: exit).intersection(position.variants)
            if variants.isEmpty { continue }
            if exit == rules.begin { variants = .all }
            for start in rules.starts(of: exit, variants: variants, after: walk) {
                advance(start, by: bit, event: event, into: &next)
            }
        }
    }

    /// What has been walked by now, the step included in which the process is if the model has made it.
    var walk: Walk? {
        guard let position = positions.first else { return nil }
        guard let event = position.event else { return position.walk }
        return Walk(rules.rules[position.rule].label, event: event, position.variants, after: position.walk)
    }

    /// The labels at which the process can be.
    var labels: [String] {
        var names: [String] = []
        for position in positions {
            let name = rules.table.labels[Int(rules.rules[position.rule].label)]
            if !names.contains(name) { names.append(name) }
        }
        return names
    }
}

/// The folding rules with the model's labels in them, and only with exits that the model has.
struct CompiledRules: Sendable {
    typealias Label = StepTable.Label

    struct Rule: Sendable {
        var label: Label
        var parts: [StepRule.Part]
        var exits: [Label]
    }

    let table: StepTable
    let rules: [Rule]
    private let byLabel: [[Int]]
    let begin: Label
    let receive: Label
    /// Exits of the code's rules that the model does not know.
    let unknownExits: [String]

    static let shared = CompiledRules(StepTable.model, StepRule.all)

    init(_ table: StepTable, _ source: [StepRule]) {
        self.table = table
        var unknown: [String] = []
        var rules: [Rule] = []
        for rule in source {
            guard let label = table.label(rule.label) else {
                unknown.append(rule.label)
                continue
            }
            var exits: [Label] = []
            for exit in rule.exits {
                if let to = table.label(exit), !table.variants(from: label, to: to).isEmpty {
                    exits.append(to)
                } else {
                    unknown.append("\(rule.label) → \(exit)")
                }
            }
            rules.append(Rule(label: label, parts: rule.parts, exits: exits))
        }
        self.rules = rules
        unknownExits = unknown
        byLabel = table.labels.indices.map { label in
            rules.indices.filter { rules[$0].label == Label(label) }
        }
        begin = table.label("begin") ?? 0
        receive = table.label("receive") ?? begin
    }

    func starts(
        of label: Label, variants: StepTable.Variants, after walk: StepMatcher.Walk?
    ) -> [StepMatcher.Position] {
        byLabel[Int(label)].map { StepMatcher.Position(rule: $0, variants: variants, walk: walk) }
    }
}
