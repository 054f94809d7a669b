/// Looks for two that held the lock at once.
///
/// An interval goes from the moment at which the kit had read the answer `ok` to the one at which it was about to send
/// the request to release. The lock was held for all of that time, and for longer; so two intervals that overlap are two
/// holders at once, whatever the delays on the way.
package struct IntervalReferee: Sendable {
    package struct Interval: Equatable, Sendable {
        package var holder: String
        package var start: Int64
        package var end: Int64

        package init(holder: String, start: Int64, end: Int64) {
            self.holder = holder
            self.start = start
            self.end = end
        }
    }

    package private(set) var intervals: [Interval] = []

    package init() {}

    package mutating func add(_ interval: Interval) { intervals.append(interval) }

    /// The pairs of neighbours that overlap, by their starts.
    package var overlaps: [(first: Interval, second: Interval)] {
        var found: [(Interval, Interval)] = []
        var latest: Interval?
        for interval in intervals.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
            if let latest, interval.start < latest.end { found.append((latest, interval)) }
            if interval.end > latest?.end ?? .min { latest = interval }
        }
        return found
    }

    /// What to tell a person of the overlaps; nil where there are none.
    package var evidence: String? {
        let overlaps = overlaps
        guard let (first, second) = overlaps.first else { return nil }
        let shared = min(first.end, second.end) - second.start
        return "two holders at once, \(overlaps.count) × in \(intervals.count) acquisitions; first \(first.holder) and "
            + "\(second.holder), for at least \(shared / 1000) µs"
    }
}
