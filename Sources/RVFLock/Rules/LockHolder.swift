import RVFHost

/// Who a lock record says holds the lock, and what else helps to find that process.
public struct LockHolder: Equatable, Sendable {
    public var record: LockRecord
    /// Program and arguments of the process, where it runs on this host and the system tells.
    public var command: String?
    /// Nanoseconds since 1970 since when the lock is held, where that can be told: the lock file's birth, or the
    /// start of the process where that is later (a lock that was taken over keeps its file).
    public var sinceNanoseconds: Int64?

    public init(record: LockRecord, command: String? = nil, sinceNanoseconds: Int64? = nil) {
        self.record = record
        self.command = command
        self.sinceNanoseconds = sinceNanoseconds
    }

    public var processID: UInt32 { record.processID }
    public var writerID: WriterID { record.writerID }
    /// The host's name; bytes that are not UTF-8 are replaced.
    public var hostName: String { String(decoding: record.hostName, as: UTF8.self) }

    /// A record, and a process's arguments, may hold anything: what a terminal would obey is replaced.
    private static func printable(_ text: some StringProtocol) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: scalars.append("\u{FFFD}")
            default: scalars.append(scalar)
            }
        }
        return String(scalars)
    }
}

extension LockHolder: CustomStringConvertible {
    /// `process 4711 (rvf ingest) on build-7`
    public var description: String {
        let program = command.map { " (\(Self.printable($0.prefix(60))))" } ?? ""
        return "process \(processID)\(program) on \(hostName.isEmpty ? "an unnamed host" : Self.printable(hostName))"
    }

    /// `, since 14:03:22 (12 min ago), renewed 4 s ago`; times are those of the local time zone.
    package func history(nowNanoseconds now: Int64) -> String {
        var text = ""
        if let since = sinceNanoseconds {
            text += ", since \(LocalTime.text(of: since)) (\(Age.text(from: since, to: now)))"
        }
        let renewed = Int64(exactly: record.timestampNanoseconds) ?? .max
        let verb = record.isGuarded ? "renewed" : "written"
        return text + ", \(verb) \(Age.text(from: renewed, to: now))"
    }
}

/// How long ago something was, for people.
package enum Age {
    package static func text(from past: Int64, to now: Int64) -> String {
        let seconds = now.saturatingSubtract(past) / 1_000_000_000
        switch seconds {
        case ..<0: return "in the future by this host's clock"
        case ..<120: return "\(seconds) s ago"
        case ..<7200: return "\(seconds / 60) min ago"
        case ..<172_800: return "\(seconds / 3600) h ago"
        default: return "\(seconds / 86400) days ago"
        }
    }
}
