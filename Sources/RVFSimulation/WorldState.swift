package import RVFHost
package import SystemPackage

/// Everything that a simulated world is, but for where its processes' code stands, of which their histories tell: two
/// states that are equal have the same futures.
package struct WorldState: Hashable, Sendable {
    package struct OpenFile: Hashable, Sendable {
        package var inode: UInt64
        package var isWritable: Bool
        /// The open file description, which several processes can share.
        package var description: Int
        /// Whether another host has removed the file, so that the server knows it no more.
        package var isStale = false
    }

    package struct Process: Hashable, Sendable {
        package enum Life: Hashable, Sendable {
            case notStarted, running, exited, killed
        }

        package let id: Int32
        package let machine: Int
        /// Whether it is a naive peer.
        package let isPeer: Bool
        package var life = Life.notStarted
        package var descriptors: [Int32: OpenFile] = [:]
        /// Ends of connected pairs, by descriptor.
        package var sockets: [Int32: Int] = [:]
        /// The end at which it waits for something to read.
        package var awaitedSocket: Int?
        /// Until when it sleeps, on the boot clock.
        package var wakesNanoseconds: Int64?
        /// What its clocks are ahead of the world's, where sleeping takes no time for the others.
        package var privateNanoseconds: Int64 = 0
        /// When it made its last step.
        package var lastStepNanoseconds: Int64 = 0
        /// When it read what it may remove for that; nil where there is no such thing. What it removes, it does within its
        /// patience from then on.
        package var lookNanoseconds: Int64?
        /// What it has learnt from the system, in order: its code does the same as long as this is the same.
        package var history = 0
        package var randomCount: UInt64 = 0
        /// For the defects that it has.
        var memory = DefectMemory()
    }

    package struct Machine: Hashable, Sendable {
        package var name: String
        /// What its wall clock is ahead of the boot clock.
        package var wallClockOffsetNanoseconds: Int64
        /// What its boot clock is ahead of the world's.
        package var bootClockOffsetNanoseconds: Int64 = 0
        /// The value of `HOSTNAME`, where it is set.
        package var variableName: String?
        /// Whose process ids it sees; nil for its own. A container is a machine with ids of its own.
        package var idSpace: Int?
    }

    package var files: SimulatedFileSystem
    package var sockets = SimulatedSockets()
    package var machines: [Machine]
    package var processes: [Process] = []
    /// Ids of threads, which a naive look takes for processes.
    package var threads: Set<Int32> = []
    /// Process ids that other programs bear.
    package var strangers: Set<Int32> = []
    package var bootClockNanoseconds: Int64 = 1_000_000_000_000
    /// Whether a sleep of less than a second passes for the sleeper alone. Where nothing depends on how short waits of
    /// several processes lie to each other, this spares all the orders that differ in that only.
    package var hasPrivateNaps = false
    /// What the machines have in their caches, where the file system is another machine's.
    package var remote: RemoteCaches?
    /// The process of whose step a choice is made, while it is.
    var deciding: Int?
    package var referee = Referee()
    /// What is left of what may be done to the world.
    package var budget: Budget

    package func wallClockNanoseconds(on machine: Int) -> Int64 {
        bootClockNanoseconds + machines[machine].wallClockOffsetNanoseconds
    }

    private func idSpace(of machine: Int) -> Int { machines[machine].idSpace ?? machine }

    /// What another process of the machine sees of an id.
    package func state(of id: Int32, on machine: Int) -> ProcessState {
        if strangers.contains(id) { return .alive }
        let isAlive = processes.contains {
            $0.id == id && idSpace(of: $0.machine) == idSpace(of: machine) && ($0.life == .running || $0.life == .notStarted)
        }
        return isAlive ? .alive : .dead
    }
}

/// What may still happen in a run besides the steps of its processes. Every one is a choice at every step.
package struct Budget: Hashable, Sendable {
    /// How often a process may be killed.
    package var kills = 0
    /// How often a call may fail.
    package var errors = 0
    /// How it may fail.
    package var errorCodes: [Errno] = [.ioError]
    /// How often a cache may show what is over; nil for any number.
    package var cachedLooks: Int? = 0
    /// How often a server's reply may be lost.
    package var lostReplies = 0
    /// How often a running process may be interrupted by another; nil for any number.
    package var preemptions: Int?
    /// What the world may do by itself, each once.
    package var acts: [WorldAct] = []

    package init(kills: Int = 0, errors: Int = 0, preemptions: Int? = nil, acts: [WorldAct] = []) {
        self.kills = kills
        self.errors = errors
        self.preemptions = preemptions
        self.acts = acts
    }

    mutating func spend(_ outcome: Outcome) {
        switch outcome {
        case .cached: if let left = cachedLooks { cachedLooks = left - 1 }
        case .replyLost: lostReplies -= 1
        case .fresh, .writtenBack: break
        }
    }
}

/// Something that happens to a world from outside.
package enum WorldAct: Hashable, Sendable {
    /// Somebody deletes the lock file.
    case removeLock
    /// Somebody copies a record over the lock file, which keeps its inode.
    case overwriteLock
    /// Somebody makes the protected file, without a lock.
    case makeData
    /// A machine's wall clock steps.
    case stepClock(machine: Int, seconds: Int64)
    /// Another program gets the id of a process that has died.
    case reuseProcessID
    /// All machines go on only after so long.
    case passTime(seconds: Int64)
    /// A process is stopped for so long, and the others go on.
    case freeze(process: Int, seconds: Int64)
    /// A machine sleeps for so long, and the others go on.
    case suspend(machine: Int, seconds: Int64)
    /// Somebody renames the lock file.
    case moveLock
    /// Somebody puts a copy in the protected file's place.
    case replaceData
    /// Somebody removes the protected file and makes it anew.
    case recreateData
}
