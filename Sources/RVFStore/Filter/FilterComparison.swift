/// Compares values with literals by the rules of ``MetadataFilter``.
enum FilterComparison {
    enum Order: Equatable { case less, equal, greater }

    /// Nil where the two cannot be compared.
    static func order(of value: MetadataEncodedValue, in bytes: RawSpan, and literal: FilterLiteral) -> Order? {
        switch (MetadataType(rawValue: value.tag), literal) {
        case (.string, .text(let text)): order(of: bytes.extracting(value.content), and: text)
        case (.int64, .integer(let number)): order(of: Int128(Int64(bitPattern: value.bits)), and: number)
        case (.uint64, .integer(let number)): order(of: Int128(value.bits), and: number)
        case (.double, .double(let number)): order(of: Double(bitPattern: value.bits), and: number)
        case (.int64, .double(let number)): order(of: Int128(Int64(bitPattern: value.bits)), and: number)
        case (.uint64, .double(let number)): order(of: Int128(value.bits), and: number)
        case (.double, .integer(let number)):
            order(of: number, and: Double(bitPattern: value.bits)).map { $0.reversed }
        case (.bool, .bool(let truth)): order(of: value.bits, and: truth ? 1 : 0)
        default: nil
        }
    }

    static func holds(_ comparison: MetadataFilter.Comparison, _ order: Order) -> Bool {
        switch comparison {
        case .equal: order == .equal
        case .notEqual: order != .equal
        case .less: order == .less
        case .atMost: order != .greater
        case .greater: order == .greater
        case .atLeast: order != .less
        }
    }

    /// Whether text begins with these bytes.
    static func hasPrefix(_ value: MetadataEncodedValue, in bytes: RawSpan, _ prefix: [UInt8]) -> Bool {
        guard value.tag == MetadataType.string.rawValue, value.content.count >= prefix.count else { return false }
        let start = value.content.lowerBound
        return order(of: bytes.extracting(start..<(start + prefix.count)), and: prefix) == .equal
    }

    private static func order<Value: Comparable>(of left: Value, and right: Value) -> Order {
        left < right ? .less : left == right ? .equal : .greater
    }

    /// Exact: an integer and a float are compared as the numbers that they are. Infinities and NaN compare with none.
    static func order(of integer: Int128, and float: Double) -> Order? {
        guard float.isFinite else { return nil }
        // 2^127 is a Double, and one more than the highest Int128.
        let limit = 0x1p127
        if float >= limit { return .less }
        if float < -limit { return .greater }
        let whole = float.rounded(.towardZero)
        let order = order(of: integer, and: Int128(whole))
        return order == .equal ? Self.order(of: whole, and: float) : order
    }

    private static func order(of left: Double, and right: Double) -> Order? {
        guard left.isFinite, right.isFinite else { return nil }
        return left < right ? .less : left == right ? .equal : .greater
    }

    private static func order(of bytes: RawSpan, and text: [UInt8]) -> Order {
        for position in 0..<min(bytes.byteCount, text.count) {
            let byte = bytes.integer(UInt8.self, at: position)
            if byte != text[position] { return byte < text[position] ? .less : .greater }
        }
        return order(of: bytes.byteCount, and: text.count)
    }
}

extension FilterComparison.Order {
    var reversed: FilterComparison.Order {
        switch self {
        case .less: .greater
        case .equal: .equal
        case .greater: .less
        }
    }
}

/// A literal as it is compared: text is UTF-8.
enum FilterLiteral: Sendable {
    case text([UInt8])
    case integer(Int128)
    case double(Double)
    case bool(Bool)

    init(_ literal: MetadataFilter.Literal) {
        self =
            switch literal {
            case .string(let text): .text(Array(text.utf8))
            case .integer(let number): .integer(number)
            case .double(let number): .double(number)
            case .bool(let truth): .bool(truth)
            }
    }
}
