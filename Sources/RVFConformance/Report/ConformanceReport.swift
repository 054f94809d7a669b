/// What came of one scenario.
package enum Verdict: Equatable, Sendable {
    case pass(String)
    /// With what was seen.
    case fail(String)
    /// With the reason.
    case notApplicable(String)

    package var word: String {
        switch self {
        case .pass: "pass"
        case .fail: "fail"
        case .notApplicable: "not applicable"
        }
    }

    package var details: String {
        switch self {
        case .pass(let text), .fail(let text), .notApplicable(let text): text
        }
    }
}

package struct ScenarioResult: Equatable, Sendable {
    package var name: String
    package var summary: String
    package var verdict: Verdict
    package var seconds: Double

    package init(name: String, summary: String, verdict: Verdict, seconds: Double) {
        self.name = name
        self.summary = summary
        self.verdict = verdict
        self.seconds = seconds
    }

    /// A line of the table. Of a pass only what it was is worth telling.
    package var row: String {
        func padded(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
        let start = padded(verdict.word, 16) + padded(name, Self.nameWidth) + summary
        return verdict.details.isEmpty ? start : start + "\n" + String(repeating: " ", count: 16) + verdict.details
    }

    /// The longest name of the list, and two spaces.
    private static let nameWidth = 34
}

package struct ConformanceReport: Equatable, Sendable {
    /// For whoever keeps reports of several.
    package var title: String
    package var results: [ScenarioResult] = []

    package init(title: String, results: [ScenarioResult] = []) {
        self.title = title
        self.results = results
    }

    private func count(_ word: String) -> Int { results.count { $0.verdict.word == word } }
    package var passCount: Int { count("pass") }
    package var failCount: Int { count("fail") }
    package var notApplicableCount: Int { count("not applicable") }

    package var summary: String {
        "\(title): \(passCount) passed, \(failCount) failed, \(notApplicableCount) not applicable"
    }

    /// JUnit's XML, as build servers read it.
    package var junit: String {
        let seconds = results.reduce(0) { $0 + $1.seconds }
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            #"<testsuite name="\#(Self.escape(title))" tests="\#(results.count)" failures="\#(failCount)" "#
                + #"errors="0" skipped="\#(notApplicableCount)" time="\#(Self.decimal(seconds))">"#,
        ]
        for result in results {
            let start = #"  <testcase classname="\#(Self.escape(title))" name="\#(Self.escape(result.name))" "#
                + #"time="\#(Self.decimal(result.seconds))""#
            let details = Self.escape(result.verdict.details)
            switch result.verdict {
            case .pass: lines.append(start + "/>")
            case .fail: lines += [start + ">", #"    <failure message="\#(details)"/>"#, "  </testcase>"]
            case .notApplicable: lines += [start + ">", #"    <skipped message="\#(details)"/>"#, "  </testcase>"]
            }
        }
        return (lines + ["</testsuite>"]).joined(separator: "\n") + "\n"
    }

    /// Milliseconds are more than enough.
    private static func decimal(_ seconds: Double) -> String {
        let milliseconds = Int((max(0, seconds) * 1000).rounded())
        let rest = "\(milliseconds % 1000)"
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }

    /// For attributes. What XML cannot hold at all becomes a replacement character.
    package static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "\n": escaped += "&#10;"
            case "\t": escaped += "&#9;"
            case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
