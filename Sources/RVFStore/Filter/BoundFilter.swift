/// A filter whose names have been looked up in a schema, to be asked of many vectors.
package struct BoundFilter: Sendable {
    private indirect enum Node: Sendable {
        case constant(Bool)
        case comparison(UInt16, MetadataFilter.Comparison, FilterLiteral)
        case isIn(UInt16, [FilterLiteral])
        case hasPrefix(UInt16, [UInt8])
        case exists(UInt16)
        case isNull(UInt16)
        case all([Node])
        case any([Node])
        case not(Node)
    }

    private let root: Node

    /// A name that the schema does not have is that of a field that no vector has.
    package init(_ filter: MetadataFilter, schema: [MetadataField]) {
        // Of several fields with one name the first counts, as everywhere.
        let ids = Dictionary(schema.map { (ExactText($0.name), $0.id) }, uniquingKeysWith: { first, _ in first })
        root = Self.bind(filter, ids)
    }

    private static func bind(_ filter: MetadataFilter, _ ids: [ExactText: UInt16]) -> Node {
        func field(_ name: ExactText) -> UInt16? { ids[name] }
        let bound: Node? =
            switch filter.node {
            case .constant(let truth): .constant(truth)
            case .comparison(let name, let comparison, let literal):
                field(name).map { .comparison($0, comparison, FilterLiteral(literal)) }
            case .isIn(let name, let literals): field(name).map { .isIn($0, literals.map(FilterLiteral.init)) }
            case .hasPrefix(let name, let prefix): field(name).map { .hasPrefix($0, Array(prefix.string.utf8)) }
            case .exists(let name): field(name).map { .exists($0) }
            case .isNull(let name): field(name).map { .isNull($0) }
            case .all(let filters): .all(filters.map { bind($0, ids) })
            case .any(let filters): .any(filters.map { bind($0, ids) })
            case .not(let filter): .not(bind(filter, ids))
            }
        // Whatever is asked of a field that is missing is false.
        return bound ?? .constant(false)
    }

    /// Whether the filter is true for a vector with these encoded fields.
    func matches(_ fields: RawSpan) -> Bool {
        Self.matches(root, fields)
    }

    private static func matches(_ node: Node, _ fields: RawSpan) -> Bool {
        switch node {
        case .constant(let truth): return truth
        case .all(let nodes):
            for node in nodes where !matches(node, fields) { return false }
            return true
        case .any(let nodes):
            for node in nodes where matches(node, fields) { return true }
            return false
        case .not(let node): return !matches(node, fields)
        case .comparison(let field, let comparison, let literal):
            guard let value = fields.metadataValue(of: field),
                let order = FilterComparison.order(of: value, in: fields, and: literal)
            else { return false }
            return FilterComparison.holds(comparison, order)
        case .isIn(let field, let literals):
            guard let value = fields.metadataValue(of: field) else { return false }
            for literal in literals where FilterComparison.order(of: value, in: fields, and: literal) == .equal {
                return true
            }
            return false
        case .hasPrefix(let field, let prefix):
            guard let value = fields.metadataValue(of: field) else { return false }
            return FilterComparison.hasPrefix(value, in: fields, prefix)
        case .exists(let field): return fields.metadataValue(of: field) != nil
        case .isNull(let field): return fields.metadataValue(of: field)?.tag == MetadataTag.null
        }
    }
}

extension MetadataState {
    /// Whether a filter that was bound to this state's schema is true for a vector. One without a record is one whose
    /// fields are all missing.
    package func matches(_ filter: BoundFilter, id: UInt64) -> Bool {
        withFields(of: id) { filter.matches($0) } ?? filter.matches(RawSpan())
    }
}

extension MetadataFilter {
    /// Whether the filter is true for fields with these values.
    public func matches(_ fields: [String: MetadataValue]) -> Bool {
        var schema: [MetadataField] = []
        var bytes: [UInt8] = []
        for (name, value) in fields.prefix(MetadataFormat.fieldLimit) {
            let id = UInt16(schema.count)
            schema.append(MetadataField(id: id, name: name, type: value.type ?? .string, isNullable: true))
            bytes.append(littleEndian: id)
            bytes.append(metadata: value)
        }
        return BoundFilter(self, schema: schema).matches(bytes.bytes)
    }
}
