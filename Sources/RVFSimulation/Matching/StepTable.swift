/// The steps of the model's writer and successor, and which can follow which; from the text that `spec/model/steps` makes.
struct StepTable: Sendable {
    /// A way to go through the model: how the lock file is published and taken over. Sets of them are bit masks.
    struct Variants: OptionSet, Hashable, Sendable {
        var rawValue: UInt8
        static let plain = Variants(rawValue: 1)
        static let exchange = Variants(rawValue: 2)
        static let plainCreate = Variants(rawValue: 4)
        /// A writer that may hand its lock over.
        static let handOver = Variants(rawValue: 8)
        /// Not a writer, but the one that is handed a lock.
        static let successor = Variants(rawValue: 16)
        static let all: Variants = [.plain, .exchange, .plainCreate, .handOver, .successor]

        private static let named: [(variant: Variants, name: String)] = [
            (.plain, "plain"), (.exchange, "exchange"), (.plainCreate, "plainCreate"), (.handOver, "handOver"),
            (.successor, "successor"),
        ]

        init(rawValue: UInt8) { self.rawValue = rawValue }

        init?(name: Substring) {
            guard let known = Self.named.first(where: { $0.name == name }) else { return nil }
            self = known.variant
        }

        var names: [String] {
            Self.named.filter { contains($0.variant) }.map(\.name)
        }
    }

    /// A label's place in ``labels``.
    typealias Label = UInt8

    struct Edge: Hashable, Sendable {
        var from: Label
        var to: Label
    }

    private(set) var labels: [String] = []
    /// The variants in which one label can follow another.
    private(set) var edges: [Edge: Variants] = [:]
    /// The same by number: the row of a label has a place for each that may follow.
    private var rows: [[Variants]] = []

    /// What `spec/model/steps` has found in the model.
    static let model = StepTable(text: ModelSteps.text)

    init(text: String) {
        var variant: Variants = []
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            if words.first == "variant" {
                variant = words.last.flatMap(Variants.init(name:)) ?? []
                continue
            }
            guard let from = words.first?.dropLast() else { continue }
            for to in words.dropFirst() {
                edges[Edge(from: place(from), to: place(to)), default: []].formUnion(variant)
            }
        }
        rows = labels.indices.map { from in
            labels.indices.map { to in edges[Edge(from: Label(from), to: Label(to))] ?? [] }
        }
    }

    private mutating func place(_ name: Substring) -> Label {
        if let known = labels.firstIndex(of: String(name)) { return Label(known) }
        labels.append(String(name))
        return Label(labels.count - 1)
    }

    func label(_ name: String) -> Label? { labels.firstIndex(of: name).map { Label($0) } }

    func variants(from: Label, to: Label) -> Variants { rows[Int(from)][Int(to)] }
}
