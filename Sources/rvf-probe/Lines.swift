import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The probe's two pipes, a line at a time and without buffers that a kill would lose.
enum Lines {
    static func say(_ line: String) {
        // A reader that has gone is no concern of the probe's: the next read ends it.
        _ = try? FileDescriptor.standardOutput.writeAll(Array((line.replacing("\n", with: " ") + "\n").utf8))
    }

    /// The next line; nil at the end.
    static func next() -> String? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = unsafe withUnsafeMutableBytes(of: &byte) { buffer in
                (try? unsafe FileDescriptor.standardInput.read(into: buffer)) ?? 0
            }
            if count == 0 { return line.isEmpty ? nil : String(decoding: line, as: UTF8.self) }
            if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
    }

    /// Whether something, or the end, waits to be read. Never waits itself.
    static var isWaiting: Bool {
        var polled = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&polled, 1, 0) > 0
    }

    static func pause(microseconds: UInt32) { usleep(microseconds) }
}

/// `key=value` arguments.
struct Settings {
    var values: [String: String] = [:]

    init(_ words: some Sequence<String>) {
        for word in words { set(word) }
    }

    mutating func set(_ word: String) {
        let parts = word.split(separator: "=", maxSplits: 1)
        if parts.count == 2 { values[String(parts[0])] = String(parts[1]) }
    }

    subscript(_ key: String) -> String? { values[key] }
    func number(_ key: String, _ fallback: Int) -> Int { values[key].flatMap { Int($0) } ?? fallback }
}

/// The clock by which intervals of several processes are compared.
func monotonicNanoseconds() -> Int64 {
    var time = timespec()
    unsafe _ = clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// A log of intervals that survives a kill: one line at the start of each, one at its end.
struct IntervalLog {
    private let file: FileDescriptor

    init(_ path: String) throws {
        file = try FileDescriptor.open(
            FilePath(path), .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
    }

    func begin() { write("s \(monotonicNanoseconds())\n") }
    func end() { write("e \(monotonicNanoseconds())\n") }

    private func write(_ line: String) { _ = try? file.writeAll(Array(line.utf8)) }
}
