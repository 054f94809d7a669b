/// What the model and the rules of the code say of each other, whatever runs show.
package enum ModelMatch {
    /// Ways on in the rules that the model has not.
    package static var unknownExits: [String] { CompiledRules.shared.unknownExits }

    /// Ways on in the model, deaths left out, that no rule of the code has.
    package static var unusedEdges: [String] {
        let rules = CompiledRules.shared
        let used = Set(rules.rules.flatMap { rule in rule.exits.map { StepTable.Edge(from: rule.label, to: $0) } })
        return rules.table.edges.keys.filter { !used.contains($0) && $0.to != rules.table.label("killed") }
            .map { rules.table.words(for: $0) }.sorted()
    }

    /// Ways on in the model that the code has not, and why.
    package static let notTakenByTheCode: [String: String] = [:]

    /// Steps that the code makes in every world in which it comes to where they belong.
    package static let indispensableLabels = [
        "guardF", "recheckF", "guardL", "recheckL", "judge", "takeoverTimestamp", "settle", "confirm", "recheckNoF",
        "validateL", "validateF", "releaseValidate", "releaseCheck", "releaseUnlink", "compactGuard", "dropGuardL",
    ]

    /// What the code, which has not changed, is found to do wrong where the model has a step less.
    package static func violation(withoutStep label: String) -> String? {
        let explorer = Explorer(rules: CompiledRules(StepTable.model.without(label), StepRule.all))
        for scenario in LockScenarios.recorded {
            if let finding = explorer.wander(scenario, seeds: 1..<6).finding { return finding.violation }
        }
        return nil
    }
}

extension StepTable {
    func words(for edge: Edge) -> String { "\(labels[Int(edge.from)]) → \(labels[Int(edge.to)])" }

    /// The same without one step: what comes after it follows at once what comes before it.
    func without(_ name: String) -> StepTable {
        guard let gone = label(name) else { return self }
        var text = ""
        for variant in Variants.all.names {
            let isIn = Variants(name: variant[...]) ?? []
            text += "variant \(variant)\n"
            for from in labels.indices where from != Int(gone) {
                var next = labels.indices.filter { variants(from: Label(from), to: Label($0)).isSuperset(of: isIn) }
                if let place = next.firstIndex(of: Int(gone)) {
                    next.remove(at: place)
                    next += labels.indices.filter { variants(from: gone, to: Label($0)).isSuperset(of: isIn) }
                }
                text += "\(labels[from]): \(next.map { labels[$0] }.joined(separator: " "))\n"
            }
        }
        return StepTable(text: text)
    }
}
