package import RVFHost
package import SystemPackage
import Synchronization

/// The locks of this process. A kernel lock does not tell one handle of a process from another on file systems
/// where none is taken, and a second opener is to be told of the first by name.
///
/// One instance per process; a simulated process has its own. Safe to use from any thread.
package final class LockRegistry: Sendable {
    package static let shared = LockRegistry()

    /// By what a lock is found again: its place, and the files themselves (which may have several names).
    package struct Keys: Sendable {
        package var directory: FileIdentity
        package var lockName: FilePath
        package var data: FileIdentity?
        package var lock: FileIdentity?
    }

    package struct Entry: Sendable {
        package var keys: Keys
        package var processID: Int32
        package var sinceNanoseconds: Int64
        package var writerID: WriterID?
    }

    private struct State {
        var nextTicket: UInt64 = 1
        var entries: [UInt64: Entry] = [:]
        var places: [Place: PlaceHistory] = [:]
    }

    fileprivate struct Place: Hashable {
        var directory: FileIdentity
        var lockName: FilePath
    }

    /// What this process remembers of a place, in boot-clock nanoseconds.
    private struct PlaceHistory {
        var sweptNanoseconds: Int64?
        var releasedNanoseconds: Int64?
    }

    private let state = Mutex(State())

    package init() {}

    package enum Reservation {
        case made(ticket: UInt64)
        case taken(by: Entry)
    }

    /// Reserves a lock for an acquisition of this process, or tells who has it.
    package func reserve(_ keys: Keys, processID: Int32, nowNanoseconds: Int64) -> Reservation {
        state.withLock { state in
            // After a fork the parent's entries came along; they are the parent's, not ours.
            if let entry = state.entries.values.first(where: { $0.processID == processID && $0.keys.overlap(keys) }) {
                return .taken(by: entry)
            }
            let ticket = state.nextTicket
            state.nextTicket += 1
            state.entries[ticket] = Entry(keys: keys, processID: processID, sinceNanoseconds: nowNanoseconds)
            return .made(ticket: ticket)
        }
    }

    /// Adds what was learnt of a reserved lock's files; tells if another handle has them under another name.
    package func extend(
        _ ticket: UInt64, data: FileIdentity? = nil, lock: FileIdentity? = nil, writerID: WriterID? = nil
    ) -> Entry? {
        state.withLock { state in
            guard var entry = state.entries[ticket] else { return nil }
            if let data { entry.keys.data = data }
            if let lock { entry.keys.lock = lock }
            if let writerID { entry.writerID = writerID }
            let other = state.entries.first { key, value in
                key != ticket && value.processID == entry.processID && value.keys.overlap(entry.keys)
            }
            if let other { return other.value }
            state.entries[ticket] = entry
            return nil
        }
    }

    /// Forgets what was learnt of a reserved lock's files, which stays reserved by its place.
    package func forgetFiles(of ticket: UInt64) {
        state.withLock { state in
            state.entries[ticket]?.keys.data = nil
            state.entries[ticket]?.keys.lock = nil
        }
    }

    /// Forgets the protected file of a reserved lock, which has no such file any more.
    package func forgetProtectedFile(of ticket: UInt64) {
        state.withLock { $0.entries[ticket]?.keys.data = nil }
    }

    /// Gives a lock back. With a time, remembers it for the courtesy that a releaser owes to those who wait.
    package func remove(_ ticket: UInt64, releasedNanoseconds: Int64? = nil) {
        state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: ticket) else { return }
            if let releasedNanoseconds {
                // A process that locks ever new files is not to grow for it; forgetting costs a sweep each.
                if state.places.count > 1024 { state.places.removeAll() }
                state.places[entry.keys.place, default: PlaceHistory()].releasedNanoseconds = releasedNanoseconds
            }
        }
    }

    /// When this process last released the lock at this place, on the boot clock.
    package func lastRelease(of keys: Keys) -> Int64? {
        state.withLock { $0.places[keys.place]?.releasedNanoseconds }
    }

    /// Whether the place is due for a sweep of private files that crashes left; then counts as swept.
    package func isSweepDue(at keys: Keys, nowNanoseconds now: Int64, everyNanoseconds interval: Int64) -> Bool {
        state.withLock { state in
            let last = state.places[keys.place]?.sweptNanoseconds
            if let last, now - last < interval { return false }
            state.places[keys.place, default: PlaceHistory()].sweptNanoseconds = now
            return true
        }
    }
}

extension LockRegistry.Keys {
    fileprivate var place: LockRegistry.Place {
        LockRegistry.Place(directory: directory, lockName: lockName)
    }

    fileprivate func overlap(_ other: LockRegistry.Keys) -> Bool {
        if directory == other.directory && lockName == other.lockName { return true }
        if let data, data == other.data { return true }
        if let lock, lock == other.lock { return true }
        return false
    }
}
