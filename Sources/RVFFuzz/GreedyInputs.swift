import RVFReference

/// Inputs of nearly a megabyte of which whoever takes them makes as much as can be made of so few bytes.
enum GreedyInputs {
    static let byteCount = PeakMemory.inputLimitBytes - 1

    static func repeating(_ byte: UInt8) -> [UInt8] { [UInt8](repeating: byte, count: byteCount) }

    /// A beginning, as many units as there is room for, and an end.
    ///
    /// - Parameter end: for the number of units.
    static func filled(
        _ start: [UInt8] = [], limit: Int = byteCount, end: (Int) -> [UInt8] = { _ in [] }, _ unit: (Int) -> [UInt8]
    ) -> [UInt8] {
        var bytes = start
        var count = 0
        while true {
            let next = unit(count)
            guard bytes.count + next.count + end(count + 1).count <= limit else { return bytes + end(count) }
            bytes += next
            count += 1
        }
    }

    private static func text(
        _ start: String = "", limit: Int = byteCount, end: String = "", _ unit: (Int) -> String
    ) -> [UInt8] {
        filled(Array(start.utf8), limit: limit, end: { _ in Array(end.utf8) }) { Array(unit($0).utf8) }
    }

    // MARK: Texts

    /// As long as a filter can be, and longer.
    static func filters() -> [[UInt8]] {
        let limit = 1 << 16
        return [
            text("a in (0", limit: limit, end: ")") { _ in ",1" }, text("a=1", limit: limit) { _ in " or a=1" },
            text("a", limit: limit, end: "=1") { _ in "b" }, text("a in (''", limit: limit, end: ")") { _ in ",'x'" },
            text("", limit: 64, end: "true") { _ in "(" }, text("x=1", limit: limit) { _ in " and not not not true" },
            text("x='", limit: limit, end: "'") { _ in "\\u{1F600}" }, text { _ in "(" }, text("a=1") { _ in " or a=1" },
        ]
    }

    static func rows() -> [[UInt8]] {
        [
            text("[", end: "{\"id\":0,\"vector\":[1,2]}]") { "{\"id\":\($0 + 1),\"vector\":[1,2]}," },
            text("[", end: "{\"id\":0,\"vector\":[1,2]}]") { "{\"id\":\($0 + 1),\"vector\":[1,2],\"metadata\":{\"a\":1}}," },
            text("[{\"id\":1,\"vector\":[1,2],\"metadata\":{\"\":0", end: "}}]") { ",\"\($0)\":1" },
            text("[{\"id\":1,\"vector\":[1,2],\"metadata\":{\"a\":0", end: "}}]") { ",\"a name of many letters \($0)\":1" },
            text("[", end: "{\"id\":0,\"vector\":[1,2]}]") { "{\"id\":\($0 + 1),\"vector\":[1,2],\"metadata\":{\"\($0)\":1}}," },
            text("[{\"id\":1,\"vector\":[0", end: "]}]") { _ in ",1" }, text("[{\"x\":") { _ in "[" },
            text("[{\"id\":1,\"vector\":[1,2],\"metadata\":{\"a\":\"", end: "\"}}]") { _ in "\\n" },
            text("[{\"id\":1,\"vector\":[1,2],\"x\":[0", end: "]}]") { _ in ",{\"a\":[]}" },
            text("[{\"id\":1,\"vector\":[1,2]", end: "}]") { ",\"\($0)\":1" }, text("[{\"id\":") { _ in "9" },
        ]
    }

    static func arguments() -> [[UInt8]] {
        [
            text { _ in "1 " }, text { _ in "1," }, text { _ in "f" }, text { _ in "\n" }, text("1") { _ in "0" },
            text(limit: 100_000) { _ in "--json " }, text("query\nd\n--where\n", limit: 100_000) { _ in "(" },
        ]
    }

    static func lines() -> [[UInt8]] {
        [text { _ in "\n" }, text { _ in "ok\n" }, text { _ in "x" }, text("held ") { _ in " pid=3" }]
    }
}
