/// What the processes of a world say of themselves as they go, and what has been found to be wrong.
package struct Referee: Hashable, Sendable {
    /// A naive peer's lock: the inode, and what stands in it while nobody else lays hand on it.
    package struct PeerLock: Hashable, Sendable {
        package var inode: UInt64
        package var bytes: [UInt8]
        /// Whether it may be empty still, as long as the server has not got what was written.
        package var mayBeEmpty = false
    }

    /// The first thing that must not be.
    package internal(set) var violation: String?
    /// The processes that have acquired and not released, by their own account.
    package private(set) var holders: [Int] = []
    package private(set) var acquisitionCount = 0
    package private(set) var commitCount = 0
    /// Processes whose lock was gone already when they began to validate it.
    package private(set) var lostBeforeValidation: Set<Int> = []
    /// Processes that held the lock when the protected file was replaced.
    package private(set) var robbed: Set<Int> = []
    /// Live locks of naive peers, by process.
    package private(set) var peerLocks: [Int: PeerLock] = [:]

    /// A process that holds the lock, or is about to hand it over, and the one that may get it from there.
    package private(set) var custody: Custody?

    package struct Custody: Hashable, Sendable {
        package var predecessor: Int
        package var successor: Int
    }

    /// Rows of which a commit has returned.
    package private(set) var acknowledged: Set<UInt64> = []

    package mutating func noteAcquired(_ process: Int) {
        acquisitionCount += 1
        holders.append(process)
        guard let custody, ![custody.predecessor, custody.successor].contains(process) else { return }
        noteViolation("process \(process + 1) acquires while process \(custody.predecessor + 1) hands the lock over")
    }

    /// From now on, and until the predecessor has ended or knows that it is none any more, the lock is never free.
    package mutating func noteHandingOver(_ custody: Custody) {
        noteReleasing(custody.predecessor)
        self.custody = custody
    }

    package mutating func noteHandedOver() { custody = nil }

    package mutating func noteReleasing(_ process: Int) {
        // Who got the lock gives it up: from now on it may be anybody's.
        if custody?.successor == process, holders.contains(process) { custody = nil }
        holders.removeAll { $0 == process }
        lostBeforeValidation.remove(process)
        robbed.remove(process)
    }

    mutating func noteDataReplaced() { robbed.formUnion(holders) }

    package mutating func noteValidating(_ process: Int, isLost: Bool) {
        if isLost || robbed.contains(process) { lostBeforeValidation.insert(process) } else { lostBeforeValidation.remove(process) }
    }

    package mutating func noteCommit(_ process: Int) {
        commitCount += 1
    }

    package mutating func notePeerLock(_ process: Int, _ lock: PeerLock?) {
        peerLocks[process] = lock
    }

    package mutating func noteAcknowledged(_ id: UInt64) {
        acknowledged.insert(id)
    }

    package mutating func noteViolation(_ text: String) {
        if violation == nil { violation = text }
    }

    mutating func noteEnded(_ process: Int) {
        noteReleasing(process)
        peerLocks[process] = nil
        if custody?.predecessor == process { custody = nil }
    }
}
