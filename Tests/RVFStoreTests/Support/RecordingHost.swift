import RVFHost
import Synchronization
import SystemPackage

/// What a ``RecordingHost`` does beside what the real system does, and what it saw. Shared with the test.
final class DiskScript: Sendable {
    enum Event: Equatable, Sendable {
        case write(offset: Int64, bytes: [UInt8])
        case sync
    }

    struct State: Sendable {
        /// Writes and syncs still allowed until one fails; nil for all of them.
        var allowedEvents: Int?
        var failure = Errno.ioError
        /// Whether a write that fails writes half of its bytes before.
        var writesHalf = false
        /// How often the failure comes before everything works again.
        var failures = 1
        /// Only these bytes are looked at: events on other files pass.
        var file: FileIdentity?
        var events: [Event] = []
        var canMap = true
        /// Told of every write and sync of every file.
        var disk: Disk?
        /// Whether bytes are kept and syncs done; without, thousands of commits take little time.
        var isRecording = true
        /// By read calls.
        var readByteCount = 0
        /// Runs once, at the next sync that would succeed.
        var atNextSync: (@Sendable () -> Void)?
    }

    let state = Mutex(State())

    func set(_ change: (inout State) -> Void) {
        state.withLock { change(&$0) }
    }

    var events: [Event] { state.withLock { $0.events } }
    var readByteCount: Int { state.withLock { $0.readByteCount } }
}

/// The real system, except that single writes and syncs of one file fail as a script says, and all are recorded.
struct RecordingHost: Host {
    let base = POSIXHost()
    let script: DiskScript

    /// Whether an event on the descriptor's file is to fail.
    private func fails(_ descriptor: FileDescriptor) throws(Errno) -> (watched: Bool, fails: Bool) {
        let identity = try base.status(of: descriptor).identity
        return script.state.withLock { state in
            guard state.file == nil || state.file == identity else { return (false, false) }
            guard let allowed = state.allowedEvents, state.failures > 0 else { return (true, false) }
            if allowed > 0 {
                state.allowedEvents = allowed - 1
                return (true, false)
            }
            state.failures -= 1
            return (true, true)
        }
    }

    func read(
        _ descriptor: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        let count = try unsafe base.read(descriptor, into: buffer, at: offset)
        script.set { $0.readByteCount += count }
        return count
    }

    func write(
        _ descriptor: FileDescriptor, from buffer: UnsafeRawBufferPointer, at offset: Int64
    ) throws(Errno) -> Int {
        let (watched, fails) = try fails(descriptor)
        if fails {
            if script.state.withLock({ $0.writesHalf }) {
                let half = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<(buffer.count / 2)])
                _ = try unsafe base.write(descriptor, from: half, at: offset)
            }
            throw script.state.withLock { $0.failure }
        }
        let count = try unsafe base.write(descriptor, from: buffer, at: offset)
        if let disk = script.state.withLock({ $0.disk }) {
            let bytes = unsafe Array(buffer[..<count])
            disk.write(bytes, at: Int(offset), of: try base.status(of: descriptor).identity)
        }
        if watched, script.state.withLock({ $0.isRecording }) {
            let bytes = unsafe Array(buffer[..<count])
            script.set { $0.events.append(.write(offset: offset, bytes: bytes)) }
        }
        return count
    }

    func map(_ descriptor: FileDescriptor, lengthBytes: Int) throws(Errno) -> Mapping {
        guard script.state.withLock({ $0.canMap }) else { throw .notSupported }
        return try base.map(descriptor, lengthBytes: lengthBytes)
    }

    /// Of directories nothing is recorded: what becomes of names is tried on the simulated disk.
    func sync(_ descriptor: FileDescriptor) throws(Errno) {
        if try base.status(of: descriptor).kind == .directory { return try base.sync(descriptor) }
        try sync(descriptor, base.sync)
    }

    func syncData(_ descriptor: FileDescriptor) throws(Errno) {
        try sync(descriptor, base.syncData)
    }

    private func sync(_ descriptor: FileDescriptor, _ call: (FileDescriptor) throws(Errno) -> Void) throws(Errno) {
        let (watched, fails) = try fails(descriptor)
        if fails { throw script.state.withLock { $0.failure } }
        guard script.state.withLock({ $0.isRecording }) else { return }
        try call(descriptor)
        if let disk = script.state.withLock({ $0.disk }) { disk.sync(try base.status(of: descriptor).identity) }
        guard watched else { return }
        let action = script.state.withLock { state in
            defer { state.atNextSync = nil }
            state.events.append(.sync)
            return state.atNextSync
        }
        action?()
    }
}
