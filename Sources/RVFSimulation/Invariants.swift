import RVFLock

/// What must hold after every step of a world of locks.
package struct Invariants: OptionSet, Sendable {
    package var rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// There is at most one holder.
    package static let exclusion = Invariants(rawValue: 1)
    /// A naive peer's live or half-made lock is left as it is.
    package static let peersUnharmed = Invariants(rawValue: 2)
    /// What stands at the lock's name is whole, or somebody of ours is at work on it under its kernel lock.
    package static let wholeRecords = Invariants(rawValue: 4)
    package static let all: Invariants = [.exclusion, .peersUnharmed, .wholeRecords]

    /// What is violated, in words.
    package func violation(in state: WorldState) -> String? {
        if contains(.exclusion), state.referee.holders.count > 1 {
            return "there are \(state.referee.holders.count) holders: processes "
                + state.referee.holders.map { "\($0 + 1)" }.joined(separator: " and ")
        }
        if contains(.peersUnharmed) {
            for (process, lock) in state.referee.peerLocks {
                let inode = state.files.inodes[lock.inode]
                if inode == nil || inode?.linkCount == 0 { return "the live lock of process \(process + 1) was removed" }
                if inode?.bytes != lock.bytes, !(lock.mayBeEmpty && inode?.bytes.isEmpty == true) { return "the live lock of process \(process + 1) was written over" }
            }
        }
        if contains(.wholeRecords), let number = state.lockInode, let inode = state.files.inodes[number],
            // What a naive peer makes, or leaves behind, is not ours to answer for.
            inode.maker >= 0, !state.processes[inode.maker].isPeer, inode.lockedBy == nil
        {
            let reading = LockRecordReading(inode.bytes)
            if !reading.problems.isEmpty {
                return "what stands at the lock's name is no whole record: \(reading.problems)"
            }
        }
        return nil
    }
}
