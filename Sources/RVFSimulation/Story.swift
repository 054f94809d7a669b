import RVFHost
import RVFLock

/// What a call gave, in the few words that a reader of a story needs.
enum Story {
    static func words<Value>(for value: Value) -> String {
        switch value {
        case let status as FileStatus:
            status.kind == .directory ? "a directory" : "inode \(status.identity.inode), \(status.sizeBytes) bytes"
        case let bytes as [UInt8]: words(for: bytes)
        case let flag as Bool: flag ? "done" : "no"
        case let received as SimulatedHost.Received:
            "\(received.bytes.count) bytes"
                + (received.descriptors.isEmpty ? "" : " and the files \(received.descriptors.map { "fd \($0)" }.joined(separator: ", "))")
        default: "\(value)"
        }
    }

    private static func words(for bytes: [UInt8]) -> String {
        guard let record = LockRecordReading(bytes).record else { return "\(bytes.count) bytes" }
        return "a record of process \(record.processID) on \(String(decoding: record.hostName, as: UTF8.self))"
            + (record.isGuarded ? ", guarded" : "")
    }
}
