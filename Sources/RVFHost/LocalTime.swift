#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Times of day for messages, in the time zone of this process.
public enum LocalTime {
    private struct Fields: Equatable {
        var date: [Int]
        var time: [Int]

        init(_ nanoseconds: Int64) {
            var seconds = time_t(nanoseconds / 1_000_000_000)
            var fields = unsafe tm()
            unsafe _ = localtime_r(&seconds, &fields)
            date = unsafe [Int(fields.tm_year) + 1900, Int(fields.tm_mon) + 1, Int(fields.tm_mday)]
            time = unsafe [Int(fields.tm_hour), Int(fields.tm_min), Int(fields.tm_sec)]
        }
    }

    /// `14:03:22`, with the date before it where that is not today's.
    public static func text(of nanoseconds: Int64) -> String {
        let then = Fields(nanoseconds)
        let time = then.time.map(twoDigits).joined(separator: ":")
        if then.date == Fields(POSIXHost().wallClockNanoseconds()).date { return time }
        return then.date.map(twoDigits).joined(separator: "-") + " " + time
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }
}
