package import RVFHost
import SystemPackage

extension SimulatedHost {
    // MARK: Waiting, clocks and identity

    package func sleep(nanoseconds: Int64) {
        if world.isGhost(process) { return }
        // What the settling after a take-over takes.
        if defect == .noSettle, (100_000_000...200_000_000).contains(nanoseconds) { return }
        let isRemoteSettle = nanoseconds == 5_000_000_000
        if defect == .shortSettleOnServer, isRemoteSettle { return sleep(nanoseconds: 150_000_000) }
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

    package func wallClockNanoseconds() -> Int64 {
        let ahead: Int64 = defect == .clockIsAhead ? 400_000_000_000 : 0
        return world.read(process) { state in
            state.wallClockNanoseconds(on: state.processes[process].machine) + ahead
        } ?? world.ghostTime(process)
    }

    package func bootClockNanoseconds() -> Int64 {
        world.read(process) { state in
            let machine = state.machines[state.processes[process].machine]
            return state.bootClockNanoseconds + state.processes[process].privateNanoseconds
                + machine.bootClockOffsetNanoseconds
        }
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

    package func processState(_ id: Int32) -> ProcessState {
        if defect == .takesLiveForDead { return .dead }
        let seen = try? world.perform(process, .call("kill 0", canFail: false).making(.askProcess(id)), "asks for process \(id)") {
            (state) throws(Errno) in
            state.state(of: id, on: state.processes[process].machine) == .alive
        }
        return seen == true ? .alive : .dead
    }

    package func environmentVariable(_ name: String) -> [UInt8]? {
        guard name == "HOSTNAME", !world.isGhost(process) else { return nil }
        return world.state.machines[world.state.processes[process].machine].variableName.map { Array($0.utf8) }
    }

    package func hostName() -> [UInt8] {
        if world.isGhost(process) { return [] }
        return Array(world.state.machines[world.state.processes[process].machine].name.utf8)
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
