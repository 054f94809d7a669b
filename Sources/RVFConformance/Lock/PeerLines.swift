/// What the kit asks of an implementation under test: a line each. See `spec/conformance.md`.
package enum PeerRequest: Equatable, Sendable {
    case acquire(String)
    case release
    case validate
    case status(String)
    case exit

    package var line: String {
        switch self {
        case .acquire(let path): "acquire " + path
        case .release: "release"
        case .validate: "validate"
        case .status(let path): "status " + path
        case .exit: "exit"
        }
    }

    /// The first words of the answers that this request may get.
    package var words: [PeerAnswer.Word] {
        switch self {
        case .acquire: [.ok, .held, .error]
        case .release: [.ok, .lost, .error]
        case .validate: [.ok, .lost, .error, .unsupported]
        case .status: [.free, .stale, .held, .error, .unsupported]
        case .exit: [.ok]
        }
    }

    /// Nil for what is no request.
    package init?(line: String) {
        let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts.first, parts.count == 2 ? parts[1] : nil) {
        case ("acquire", let path?) where !path.isEmpty: self = .acquire(path)
        case ("status", let path?) where !path.isEmpty: self = .status(path)
        case ("release", nil): self = .release
        case ("validate", nil): self = .validate
        case ("exit", nil): self = .exit
        default: return nil
        }
    }
}

/// One line of an implementation under test: a word, and what else it says.
package struct PeerAnswer: Equatable, Sendable {
    package enum Word: String, CaseIterable, Sendable {
        case ok, held, lost, free, stale, error, unsupported
    }

    package var word: Word
    package var details: String

    package init(_ word: Word, _ details: String = "") {
        self.word = word
        self.details = details
    }

    /// Nil where the line does not begin with one of the words.
    package init?(line: String) {
        let parts = line.split(separator: " ", maxSplits: 1)
        guard let first = parts.first, let word = Word(rawValue: String(first)), line.hasPrefix(first) else { return nil }
        self.init(word, parts.count == 2 ? String(parts[1]) : "")
    }

    package var line: String {
        details.isEmpty ? word.rawValue : word.rawValue + " " + details.replacing("\n", with: " ")
    }

    /// What stands behind `key=` in the details, up to the next space.
    package func value(of key: String) -> String? {
        let word = details.split(separator: " ").first { $0.hasPrefix(key + "=") }
        return word.map { String($0.dropFirst(key.count + 1)) }
    }
}

/// Makes lines of bytes that come in pieces. What a line may take is bounded, whatever comes.
package struct LineBuffer: Sendable {
    package enum Line: Equatable, Sendable {
        case text(String)
        case tooLong
    }

    /// Answers are for people to read in a table.
    package static let limitBytes = 4096

    private var bytes: [UInt8] = []

    package init() {}

    package var isEmpty: Bool { bytes.isEmpty }
    /// For messages.
    package var start: String { String(decoding: bytes.prefix(40), as: UTF8.self) }

    package mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// The next whole line, without its end; nil until there is one.
    package mutating func next() -> Line? {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            return bytes.count > Self.limitBytes ? .tooLong : nil
        }
        guard end <= Self.limitBytes else { return .tooLong }
        let line = String(decoding: bytes[..<end], as: UTF8.self)
        bytes.removeSubrange(...end)
        return .text(line)
    }
}
