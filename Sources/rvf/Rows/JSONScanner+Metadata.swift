import RVFStore

extension JSONScanner {
    /// An object of names and plain values; nil for null, which says nothing of the metadata.
    mutating func metadata() throws(Failure) -> [String: MetadataValue]? {
        if try peekValue() == UInt8(ascii: "n") {
            try word("null")
            return nil
        }
        try expect("{", "for the metadata, as in {\"name\": \"value\"}")
        var fields: [String: MetadataValue] = [:]
        if try take("}") { return fields }
        repeat {
            let name = try exactString("for a metadata field's name")
            try expect(":", "after a field's name")
            let value = try metadataValue(of: name)
            guard fields.updateValue(value, forKey: name) == nil else {
                throw failure("the metadata field \"\(name)\" stands twice", code: "invalidRow")
            }
        } while try take(",")
        try expect("}", "or `,` after a metadata field")
        return fields
    }

    private mutating func metadataValue(of name: String) throws(Failure) -> MetadataValue {
        switch try peekValue() {
        case UInt8(ascii: "\""): return .string(try exactString("for a value"))
        case UInt8(ascii: "t"):
            try word("true")
            return true
        case UInt8(ascii: "f"):
            try word("false")
            return false
        case UInt8(ascii: "n"):
            try word("null")
            return .null
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            throw failure(
                "the metadata field \"\(name)\" is a list or an object; values are strings, numbers, true, false and null",
                code: "invalidRow")
        default: return try metadataNumber(of: name)
        }
    }

    /// Without point and exponent an integer, as far as 64 bits hold it.
    private mutating func metadataNumber(of name: String) throws(Failure) -> MetadataValue {
        let text = try number("a value")
        if text.utf8.allSatisfy({ $0 == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            if let integer = Int64(text) { return .int64(integer) }
            if let integer = UInt64(text) { return .uint64(integer) }
            throw failure(
                "the metadata field \"\(name)\" is \(text), more than 64 bits hold; write it with a point, or as text",
                code: "invalidRow")
        }
        guard let double = Double(text), double.isFinite else {
            throw failure(
                "the metadata field \"\(name)\" is \(text), too large for a 64-bit float", code: "invalidRow")
        }
        return .double(double)
    }

    private mutating func exactString(_ purpose: String) throws(Failure) -> String {
        let text = try string(purpose)
        guard stringIsExact else { throw failure("the text \"\(text)\" is not Unicode", code: "invalidRow") }
        return text
    }
}
