import Foundation
public import SystemPackage

/// Merges the interval logs of several processes and looks for two that were inside at once.
public struct ProbeReferee: Sendable {
    public struct Interval: Sendable {
        public var start: Int64
        /// The last instant at which the process is known to have been inside; its start if it was killed there.
        public var end: Int64
        public var process: String
    }

    public private(set) var intervals: [Interval] = []

    public init() {}

    /// Reads one process's log: `s <ns>` at each start, `e <ns>` at each end.
    public mutating func add(_ log: FilePath) throws {
        let process = log.lastComponent?.string ?? ""
        var open: Int64?
        for line in try String(contentsOfFile: log.string, encoding: .utf8).split(separator: "\n") {
            guard let time = Int64(line.dropFirst(2)) else { continue }
            if line.first == "s" {
                if let open { intervals.append(Interval(start: open, end: open, process: process)) }
                open = time
            } else if let start = open {
                intervals.append(Interval(start: start, end: time, process: process))
                open = nil
            }
        }
        if let open { intervals.append(Interval(start: open, end: open, process: process)) }
    }

    /// The pairs that overlap, as text; empty where exclusion held.
    public var overlaps: [String] {
        var found: [String] = []
        var latest: Interval?
        for interval in intervals.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
            if let latest, interval.start < latest.end {
                let pair = [latest, interval].map { "\($0.process) \($0.start)–\($0.end)" }
                found.append(pair.joined(separator: " and "))
            }
            if interval.end > latest?.end ?? .min { latest = interval }
        }
        return found
    }

    /// How often each process was inside.
    public var turns: [String: Int] {
        intervals.reduce(into: [:]) { $0[$1.process, default: 0] += 1 }
    }
}
