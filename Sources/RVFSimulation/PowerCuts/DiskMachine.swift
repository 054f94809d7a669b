import RVFHost
import Synchronization
import SystemPackage

/// A machine with one disk and one process at a time, which keeps a journal of what could be on the medium after each
/// step. For one thread.
package final class DiskMachine: Sendable {
    /// What is asked of the store if the power goes off now.
    package struct Moment: Sendable {
        package var medium: Medium
        /// The position of the change that was made last, where that is what made this moment.
        package var newest: Int?
        /// Which states may be found, by their numbers.
        package var states: ClosedRange<Int>
        package var step: String
    }

    struct State: Sendable {
        var disk: SimulatedDisk
        /// By descriptor, the inode.
        var open: [Int32: UInt64] = [:]
        var wallClockNanoseconds: Int64
        var bootClockNanoseconds: Int64 = 1_000_000_000
        var random: SplitMix64
        var defect: DiskDefect?
        /// Nil where none is kept.
        var journal: [Moment]?
        /// The number of the last state that was acknowledged, durable or not.
        var acknowledged = 0
        /// States before this one may not come back.
        var durable = 0
        /// The state that is being made, or that was made last.
        var newest = 0
        /// For ``DiskDefect/syncsComeLate``: what the last sync of each file was asked for.
        var owedChangeCounts: [UInt64: Int] = [:]
        var storeSyncCount = 0
        /// How often a file took the name of another.
        var replacementCount = 0
        /// The sync that fails, and does nothing; nil for none.
        var death: Death?
        /// In which syncs processes have died, so far.
        var deaths: Set<Death> = []
    }

    private let state: Mutex<State>

    /// - Parameters:
    ///   - boot: which boot of the machine it is; between two of them lies a minute.
    ///   - keepsJournal: whether moments are wanted.
    package init(
        _ disk: SimulatedDisk, boot: Int, seed: UInt64, defect: DiskDefect? = nil, keepsJournal: Bool
    ) {
        state = Mutex(
            State(
                disk: disk, wallClockNanoseconds: Self.wallClock(ofBoot: boot),
                random: SplitMix64(seed: seed &+ UInt64(boot) << 32), defect: defect, journal: keepsJournal ? [] : nil))
        note("the beginning")
    }

    package static func wallClock(ofBoot boot: Int) -> Int64 { 1_700_000_000_000_000_000 + Int64(boot) * 60_000_000_000 }

    func perform<Value: Sendable>(_ body: (inout State) throws(Errno) -> Value) throws(Errno) -> Value {
        try state.withLock { (state) throws(Errno) in try body(&state) }
    }

    func look<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        state.withLock { body(&$0) }
    }

    package var disk: SimulatedDisk { look { $0.disk } }
    /// Syncs of the file that has the store's name.
    var storeSyncCount: Int { look { $0.storeSyncCount } }
    package var replacementCount: Int { look { $0.replacementCount } }
    /// Whether a process has died so since it was asked to.
    var hasKilled: Bool { look { $0.death == nil } }

    /// A sync in which a process comes to its end: the sync fails, and does nothing, as if the process had been killed
    /// before it.
    package enum Death: Hashable, Sendable {
        /// The next one of the directory.
        case nameSync
        /// The next one of the store's file that has the newest manifest's header to write.
        case headerSync
    }

    func kill(in death: Death) { look { $0.death = death } }

    package func takeJournal() -> [Moment] {
        look { state in
            defer { state.journal = nil }
            return state.journal ?? []
        }
    }

    // MARK: What the story is at

    /// The state with this number is being made.
    package func begin(_ number: Int) {
        look { $0.newest = max($0.newest, number) }
    }

    /// The state with this number was made, the caller was told.
    package func acknowledge(_ number: Int, isDurable: Bool) {
        look { state in
            state.newest = max(state.newest, number)
            state.acknowledged = number
            if isDurable { state.durable = number }
        }
        note("state \(number) acknowledged")
    }

    private func note(_ step: String) {
        look { $0.note(step, newest: nil) }
    }
}

extension DiskMachine.State {
    mutating func note(_ step: @autoclosure () -> String, newest position: Int?) {
        guard journal != nil else { return }
        journal?.append(
            DiskMachine.Moment(medium: disk.medium, newest: position, states: durable...newest, step: step()))
    }

    /// After a change to the disk.
    mutating func noteChange(_ step: @autoclosure () -> String) {
        note(step(), newest: disk.medium.pending.indices.last)
    }

    /// What the store was told is durable with any sync of its file, also where the sync lies.
    mutating func noteSync(of inode: UInt64) {
        guard disk.inode(named: Scene.dataName) == inode else { return }
        storeSyncCount += 1
        durable = max(durable, acknowledged)
    }
}
