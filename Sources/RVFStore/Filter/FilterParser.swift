extension MetadataFilter {
    /// How many levels of parentheses and `not` a text can have.
    public static let maximumDepth = 64
    /// How long a text can be, in bytes of UTF-8.
    public static let maximumByteCount = 65_536

    /// Reads a filter's text.
    public init(_ text: String) throws(FilterError) {
        guard text.utf8.count <= Self.maximumByteCount else {
            throw FilterError(
                column: 1, what: "it has \(text.utf8.count) bytes; at most \(Self.maximumByteCount) are allowed")
        }
        var parser = try FilterParser(Array(text.utf8))
        self = try parser.whole()
    }
}

/// Reads a filter by recursive descent, one token ahead.
private struct FilterParser {
    private var lexer: FilterLexer
    private var token: FilterToken
    /// Where the token begins, in bytes.
    private var offset: Int
    private var depth = 0

    init(_ bytes: [UInt8]) throws(FilterError) {
        lexer = FilterLexer(bytes)
        (token, offset) = try lexer.next()
    }

    mutating func whole() throws(FilterError) -> MetadataFilter {
        let filter = try alternatives()
        guard token == .end else { throw unexpected("\"and\", \"or\" or the end") }
        return filter
    }

    private mutating func alternatives() throws(FilterError) -> MetadataFilter {
        var filters = [try conjunction()]
        while try take(.word(.or)) { filters.append(try conjunction()) }
        return .any(filters)
    }

    private mutating func conjunction() throws(FilterError) -> MetadataFilter {
        var filters = [try term()]
        while try take(.word(.and)) { filters.append(try term()) }
        return .all(filters)
    }

    private mutating func term() throws(FilterError) -> MetadataFilter {
        switch token {
        case .word(.not):
            return .not(try nested { (parser) throws(FilterError) in try parser.term() })
        case .symbol(.open):
            let open = offset
            let filter = try nested { (parser) throws(FilterError) in try parser.alternatives() }
            guard try take(.symbol(.close)) else {
                throw unexpected("\")\" for the \"(\" at column \(lexer.error(at: open, "").column)")
            }
            return filter
        case .word(.true):
            try advance()
            return .everything
        case .word(.false):
            try advance()
            return .nothing
        case .word(.exists):
            try advance()
            guard case .name(let name) = token else { throw unexpected("a field's name") }
            try advance()
            return .exists(name)
        case .name(let name):
            try advance()
            return try condition(on: name)
        default:
            throw unexpected("a condition")
        }
    }

    /// Takes the token and goes one level down.
    private mutating func nested(
        _ body: (inout FilterParser) throws(FilterError) -> MetadataFilter
    ) throws(FilterError) -> MetadataFilter {
        guard depth < MetadataFilter.maximumDepth else {
            throw lexer.error(at: offset, "more than \(MetadataFilter.maximumDepth) levels")
        }
        depth += 1
        defer { depth -= 1 }
        try advance()
        return try body(&self)
    }

    private mutating func condition(on name: String) throws(FilterError) -> MetadataFilter {
        switch token {
        case .word(.is):
            try advance()
            guard try take(.word(.null)) else { throw unexpected("\"null\"") }
            return .isNull(name)
        case .word(.in):
            try advance()
            return .field(name, in: try literals())
        case .symbol(.prefix):
            try advance()
            guard case .string(let prefix) = token else { throw unexpected("a string") }
            try advance()
            return .field(name, hasPrefix: prefix)
        case .symbol(let symbol):
            guard let comparison = symbol.comparison else { break }
            try advance()
            return .field(name, comparison, try literal())
        default: break
        }
        throw unexpected("a comparison, \"in\" or \"is null\"")
    }

    private mutating func literals() throws(FilterError) -> [MetadataFilter.Literal] {
        guard try take(.symbol(.open)) else { throw unexpected("\"(\"") }
        if try take(.symbol(.close)) { return [] }
        var literals = [try literal()]
        while try take(.symbol(.comma)) { literals.append(try literal()) }
        guard try take(.symbol(.close)) else { throw unexpected("\",\" or \")\"") }
        return literals
    }

    private mutating func literal() throws(FilterError) -> MetadataFilter.Literal {
        let literal: MetadataFilter.Literal
        switch token {
        case .string(let text): literal = .string(text)
        case .integer(let number): literal = .integer(number)
        case .double(let number): literal = .double(number)
        case .word(.true): literal = .bool(true)
        case .word(.false): literal = .bool(false)
        default: throw unexpected("a string, a number, true or false")
        }
        try advance()
        return literal
    }

    private mutating func take(_ expected: FilterToken) throws(FilterError) -> Bool {
        guard token == expected else { return false }
        try advance()
        return true
    }

    private mutating func advance() throws(FilterError) {
        (token, offset) = try lexer.next()
    }

    private func unexpected(_ expected: String) -> FilterError {
        lexer.error(at: offset, "\(expected) is expected here, not \(token.name)")
    }
}
