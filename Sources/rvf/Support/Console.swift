import SystemPackage

/// Where a command speaks: results to standard output, everything else to standard error. Each line is one write,
/// never buffered, so that whoever reads a pipe has it at once.
struct Console: Sendable {
    var isJSON: Bool

    /// A result, in the form that was asked for.
    func say(_ text: @autoclosure () -> String, json: @autoclosure () -> JSON) throws(Failure) {
        try Self.write((isJSON ? json().line : text()) + "\n", to: .standardOutput)
    }

    /// Something that happens on the way. Not being heard is no reason to stop.
    func note(_ text: @autoclosure () -> String, json: @autoclosure () -> JSON) {
        try? Self.write((isJSON ? json().line : "rvf: " + text()) + "\n", to: .standardError)
    }

    func report(_ failure: Failure) {
        if failure.message.isEmpty { return }
        note(failure.line + (failure.excerpt.map { "\n" + $0 } ?? ""), json: failure.json)
    }

    static func write(_ text: String, to descriptor: FileDescriptor) throws(Failure) {
        do {
            _ = try descriptor.writeAll(Array(text.utf8))
        } catch {
            let errno = error as? Errno ?? .ioError
            if errno == .brokenPipe { throw .outputClosed }
            throw Failure(.failed, code: "system", "writing the output failed: \(errno)")
        }
    }
}

/// A number with what it counts.
func counted(_ number: Int, _ noun: String) -> String {
    number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
}

/// Names and values in two columns, the values beneath each other.
func aligned(_ rows: [(name: String, value: String)]) -> String {
    let width = rows.map(\.name.count).max() ?? 0
    return rows.map { row in
        "  " + row.name + String(repeating: " ", count: width - row.name.count + 2) + row.value
    }.joined(separator: "\n")
}
