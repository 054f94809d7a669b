package import RVFHost
package import SystemPackage

extension SimulatedHost {
    // MARK: Waiting

    package func watch(_ directory: FilePath, for events: WatchedEvents) throws(Errno) -> FileDescriptor {
        throw .notSupported
    }

    package func unwatch(_ watch: FileDescriptor) {}

    package func awaitChange(
        _ watch: FileDescriptor, of names: [FilePath], timeoutNanoseconds: Int64
    ) throws(Errno) -> Bool {
        throw .notSupported
    }

    package func sleep(nanoseconds: Int64) {
        if world.isGhost(process) { return }
        // What the settling after a take-over takes.
        if defect == .noSettle, (100_000_000...200_000_000).contains(nanoseconds) { return }
        _ = world.read(process) { state in
            let isPrivate = state.hasPrivateNaps && nanoseconds < 1_000_000_000
            if isPrivate { state.processes[process].privateNanoseconds += nanoseconds }
            state.processes[process].wakesNanoseconds =
                state.bootClockNanoseconds + (isPrivate ? 0 : max(0, nanoseconds))
            return true
        }
        _ = try? world.perform(process, .call("sleep", canFail: false).making(.sleep(nanoseconds: nanoseconds)), "has slept") { (state) throws(Errno) in
            state.bootClockNanoseconds + state.processes[process].privateNanoseconds
        }
    }

    // MARK: Clocks and identity

    package func wallClockNanoseconds() -> Int64 {
        let ahead: Int64 = defect == .clockIsAhead ? 400_000_000_000 : 0
        return world.read(process) { state in
            state.wallClockNanoseconds(on: state.processes[process].machine) + ahead
        } ?? world.ghostTime(process)
    }

    package func bootClockNanoseconds() -> Int64 {
        world.read(process) { $0.bootClockNanoseconds + $0.processes[process].privateNanoseconds }
            ?? world.ghostTime(process)
    }

    /// Different for every call of every process, and the same in every run.
    package func fillWithRandomBytes(_ buffer: UnsafeMutableRawBufferPointer) {
        let count: UInt64? = world.read(process) { state in
            state.processes[process].randomCount += 1
            return state.processes[process].randomCount
        }
        var seed = SplitMix64(seed: UInt64(process) << 32 | (count ?? 0))
        // The buffer that the caller lends, from its first byte to its last.
        for index in buffer.indices { unsafe buffer[index] = UInt8(truncatingIfNeeded: seed.next()) }
    }

    package var processID: Int32 { Int32(100 + process) }
    package var userID: UInt32 { 1000 }

    package func processState(_ id: Int32) -> ProcessState {
        if defect == .takesLiveForDead { return .dead }
        let seen = try? world.perform(process, .call("kill 0", canFail: false).making(.askProcess(id)), "asks for process \(id)") {
            (state) throws(Errno) in
            state.state(of: id, on: state.processes[process].machine) == .alive
        }
        return seen == true ? .alive : .dead
    }

    package func processDescription(_ id: Int32) -> ProcessDescription {
        ProcessDescription(command: nil, startedNanoseconds: nil)
    }

    package func environmentVariable(_ name: String) -> [UInt8]? { nil }

    package func hostName() -> [UInt8] {
        if world.isGhost(process) { return [] }
        return Array(world.state.machines[world.state.processes[process].machine].name.utf8)
    }

    package func systemFile(_ path: FilePath) -> [UInt8]? { nil }

    // MARK: Sockets

    package func listen(at path: FilePath) throws(Errno) -> FileDescriptor { throw .notSupported }
    package func accept(_ socket: FileDescriptor) throws(Errno) -> FileDescriptor { throw .notSupported }
    package func connect(to path: FilePath) throws(Errno) -> FileDescriptor { throw .notSupported }
    package func peerUserID(_ socket: FileDescriptor) throws(Errno) -> UInt32 { throw .notSupported }

    package func send(
        _ socket: FileDescriptor, _ bytes: [UInt8], descriptors: [FileDescriptor]
    ) throws(Errno) -> Int {
        throw .notSupported
    }

    package func receive(
        _ socket: FileDescriptor, atMostBytes count: Int
    ) throws(Errno) -> (bytes: [UInt8], descriptors: [FileDescriptor]) {
        throw .notSupported
    }
}

/// A small generator of well-mixed numbers from a counter (Steele, Lea and Flood, 2014), for what has to be the same
/// in every run.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
