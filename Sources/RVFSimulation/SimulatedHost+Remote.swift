import RVFHost
import SystemPackage

/// The calls of a process whose files are another machine's; ``RemoteCaches`` says what is modelled.
extension SimulatedHost {
    private func machine(_ state: WorldState) -> Int { state.processes[process].machine }

    /// The inode behind a descriptor, if the server still knows it.
    private func known(_ descriptor: FileDescriptor, in state: WorldState) throws(Errno) -> UInt64 {
        if state.processes[process].descriptors[descriptor.rawValue]?.isStale == true { throw .staleNFSFileHandle }
        return inode(descriptor, in: state)
    }

    /// Makes a call whose outcome is chosen as it is made.
    private func remotely<Value: Hashable>(
        _ call: String, isVisible: Bool = true, _ text: String, among outcomes: (WorldState) -> [Outcome],
        _ body: (inout WorldState, Outcome) throws(Errno) -> Value
    ) throws(Errno) -> Value {
        guard world.takeTurn(process, .call(call, isVisible: isVisible)),
            let outcome = world.decide(process, among: outcomes(world.state))
        else { throw .ioError }
        let note =
            switch outcome {
            case .fresh: ""
            case .cached: ", by its host's cache"
            case .writtenBack: ", after another host has written back"
            case .replyLost: ", and the reply is lost"
            }
        return try world.perform(process, .call(call, isVisible: false), text + note) { (state) throws(Errno) -> Value in
            state.bootClockNanoseconds += state.remote?.callNanoseconds ?? 0
            let value = try body(&state, outcome)
            if case .replyLost(let error) = outcome { throw error }
            return value
        }
    }

    private func mayUseCache(_ state: WorldState) -> Bool { state.budget.cachedLooks != 0 }

    // MARK: Looking

    /// The ways in which a look at a file can come out.
    private func looks(_ number: UInt64?, _ state: WorldState) -> [Outcome] {
        guard let number else { return [.fresh] }
        var outcomes = [Outcome.fresh]
        if state.hasUnsynced(number, besides: machine(state)) { outcomes.append(.writtenBack) }
        if mayUseCache(state), state.outdatedFile(number, on: machine(state)) != nil { outcomes.append(.cached) }
        return outcomes
    }

    private func look(_ number: UInt64, _ outcome: Outcome, in state: inout WorldState) throws(Errno) -> RemoteView.File {
        let machine = machine(state)
        if outcome == .cached, let file = state.outdatedFile(number, on: machine) {
            return state.shown(file, number, on: machine)
        }
        if outcome == .writtenBack { state.writeBack(number, besides: machine) }
        state.learn(number, on: machine)
        guard let file = state.remote?.views[machine]?.files[number], state.files.inodes[number] != nil else {
            throw .staleNFSFileHandle
        }
        return state.shown(file, number, on: machine)
    }

    func statusRemotely(of descriptor: FileDescriptor) throws(Errno) -> FileStatus {
        try remotely("fstat", "examines fd \(descriptor.rawValue)", among: { looks(inode(descriptor, in: $0), $0) }) {
            (state, outcome) throws(Errno) in
            try look(try known(descriptor, in: state), outcome, in: &state).status
        }
    }

    func statusRemotely(of name: FilePath) throws(Errno) -> FileStatus {
        try remotely(
            "stat", "examines \(name)",
            among: { state in
                let truth = state.files.inode(named: name.string, in: state.sceneDirectory)
                guard mayUseCache(state), let belief = state.outdatedName(name.string, on: machine(state)) else {
                    return looks(truth, state)
                }
                // What another host has removed shows for as long as its attributes are believed.
                let shows = belief.inode.map { isShown($0, state) } ?? true
                return looks(truth, state).filter { $0 != .cached } + (shows ? [.cached] : [])
            }
        ) { (state, outcome) throws(Errno) in
            let machine = machine(state)
            if outcome == .cached, let belief = state.outdatedName(name.string, on: machine) {
                guard let number = belief.inode else { throw .noSuchFileOrDirectory }
                return try look(number, state.outdatedFile(number, on: machine) == nil ? .fresh : .cached, in: &state).status
            }
            let number = state.files.inode(named: name.string, in: state.sceneDirectory)
            state.learn(name.string, leadsTo: number, on: machine)
            guard let number else { throw .noSuchFileOrDirectory }
            return try look(number, outcome, in: &state).status
        }
    }

    private func isShown(_ number: UInt64, _ state: WorldState) -> Bool {
        state.files.inodes[number] != nil || state.outdatedFile(number, on: machine(state)) != nil
    }

    func readRemotely(_ descriptor: FileDescriptor, at offset: Int, count: Int) throws(Errno) -> [UInt8] {
        try remotely(
            "read", "reads \(count) bytes of fd \(descriptor.rawValue)", among: { looks(inode(descriptor, in: $0), $0) }
        ) { (state, outcome) throws(Errno) in
            let bytes = try look(try known(descriptor, in: state), outcome, in: &state).bytes
            return Array(bytes.dropFirst(offset).prefix(count))
        }
    }

    /// Opening a directory asks the server for what has changed in it.
    func openDirectoryRemotely() throws(Errno) -> FileDescriptor {
        FileDescriptor(
            rawValue: try world.perform(process, .call("open", isVisible: false), "opens the directory") {
                (state) throws(Errno) in
                if state.remote?.caching.isCloseToOpen == true, defect != .noLookAtDirectory {
                    state.forgetNames(on: machine(state))
                }
                return install(state.sceneDirectory, isWritable: false, in: &state)
            })
    }

    // MARK: Opening

    func openRemotely(
        _ name: FilePath, _ mode: FileDescriptor.AccessMode, options: FileDescriptor.OpenOptions,
        permissions: FilePermissions
    ) throws(Errno) -> FileDescriptor {
        let number = try remotely(
            "open", "opens \(name)", among: { openings(name.string, options, $0) }
        ) { (state, outcome) throws(Errno) -> Int32 in
            let machine = machine(state)
            var found = state.files.inode(named: name.string, in: state.sceneDirectory)
            if outcome == .cached {
                if let belief = state.outdatedName(name.string, on: machine) { found = belief.inode }
            } else {
                state.learn(name.string, leadsTo: found, on: machine)
            }
            if let found {
                if options.contains(.exclusiveCreate) { throw .fileExists }
                try requireAccess(to: found, mode, in: state)
                if outcome == .writtenBack { state.writeBack(found, besides: machine) }
                if state.remote?.caching.isCloseToOpen == true, defect != .noLookAtOpening { state.learn(found, on: machine) }
                return install(found, isWritable: mode != .readOnly, in: &state)
            }
            guard options.contains(.create) else { throw .noSuchFileOrDirectory }
            let made = makeFile(permissions, in: &state)
            try state.changeNames(by: machine) { (files, directory) throws(Errno) in
                try files.link(made, as: name.string, in: directory)
            }
            state.learn(name.string, leadsTo: made, on: machine)
            state.learn(made, on: machine)
            // Who does not get the answer has no descriptor.
            if case .replyLost = outcome { return -1 }
            return install(made, isWritable: true, in: &state)
        }
        return FileDescriptor(rawValue: number)
    }

    private func openings(_ name: String, _ options: FileDescriptor.OpenOptions, _ state: WorldState) -> [Outcome] {
        let truth = state.files.inode(named: name, in: state.sceneDirectory)
        if options.contains(.create) { return truth == nil ? completions(.fileExists, state) : [.fresh] }
        var outcomes = [Outcome.fresh]
        if let truth, state.hasUnsynced(truth, besides: machine(state)) { outcomes.append(.writtenBack) }
        if mayUseCache(state), let belief = state.outdatedName(name, on: machine(state)) {
            let asksForFile = state.remote?.caching.opensByName == false
            if belief.inode.map({ asksForFile && (state.files.inodes[$0]?.linkCount ?? 0) > 0 }) ?? true {
                outcomes.append(.cached)
            }
        }
        return outcomes
    }

    // MARK: Writing

    func writeRemotely(_ descriptor: FileDescriptor, _ bytes: [UInt8], at offset: Int) throws(Errno) -> Int {
        let others = world.isGhost(process) ? 0 : world.state.processes.count {
            $0.machine == machine(world.state) && $0.life == .running
        }
        // Other machines see it only once it is written back. A kill between two writes is worth a step.
        let isVisible = others > 1 || world.isGhost(process) || world.state.budget.kills > 0
        return try remotely(
            "write", isVisible: isVisible, "writes \(bytes.count) bytes to fd \(descriptor.rawValue) at \(offset)", among: { _ in [.fresh] }
        ) { (state, _) throws(Errno) in
            state.keepUnsynced(bytes, try known(descriptor, in: state), at: offset, on: machine(state))
            return bytes.count
        }
    }

    func truncateRemotely(_ descriptor: FileDescriptor, to length: Int) throws(Errno) {
        _ = try remotely("truncate", "cuts fd \(descriptor.rawValue) to \(length) bytes", among: { _ in [.fresh] }) {
            (state, _) throws(Errno) in
            let number = try known(descriptor, in: state)
            state.writeBack(number, of: machine(state))
            state.files.truncate(number, to: length, now: state.wallClockNanoseconds(on: 0))
            state.learn(number, on: machine(state))
            return true
        }
    }

    func syncRemotely(_ descriptor: FileDescriptor) throws(Errno) {
        if defect == .noSyncToServer { return }
        _ = try remotely("fsync", "syncs fd \(descriptor.rawValue)", among: { _ in [.fresh] }) {
            (state, _) throws(Errno) in
            state.writeBack(try known(descriptor, in: state), of: machine(state))
            return true
        }
    }

    // MARK: Names

    /// The ways in which a change can come out: done, or done and answered by a failure.
    private func completions(_ repeated: Errno, _ state: WorldState) -> [Outcome] {
        state.budget.lostReplies > 0 ? [.fresh, .replyLost(repeated), .replyLost(.ioError)] : [.fresh]
    }

    func linkRemotely(
        _ call: String, _ text: String, as name: String,
        _ body: (inout SimulatedFileSystem, UInt64) throws(Errno) -> Void
    ) throws(Errno) {
        _ = try remotely(
            call, text,
            among: { state in
                state.files.inode(named: name, in: state.sceneDirectory) == nil ? completions(.fileExists, state) : [.fresh]
            }
        ) { (state, _) throws(Errno) in
            // The server is asked, and what was believed of the name is forgotten, however it ends.
            state.forgetName(name, on: machine(state))
            try state.changeNames(by: machine(state), body)
            return true
        }
    }

    func unlinkRemotely(_ name: String) throws(Errno) {
        _ = try remotely("unlink", "removes \(name)", among: { removals(name, $0) }) { (state, outcome) throws(Errno) in
            if outcome == .cached { throw .noSuchFileOrDirectory }
            state.learn(name, leadsTo: nil, on: machine(state))
            try state.changeNames(by: machine(state)) { (files, directory) throws(Errno) in
                try files.unlink(name, in: directory)
            }
            return true
        }
    }

    /// The server renames what has the name there. The client takes it for what it believed to have the name.
    func renameRemotely(_ name: String, to newName: String, isExclusive: Bool) throws(Errno) {
        _ = try remotely(
            "rename", "renames \(name) to \(newName)",
            among: { state in
                let belief = state.outdatedName(name, on: machine(state))
                let isMistaken = mayUseCache(state) && belief?.inode.map { state.files.inodes[$0] != nil } ?? false
                return removals(name, state) + (isMistaken ? [.cached] : [])
            }
        ) { (state, outcome) throws(Errno) in
            let machine = machine(state)
            let belief = outcome == .cached ? state.outdatedName(name, on: machine) : nil
            if outcome == .cached, belief?.inode == nil { throw .noSuchFileOrDirectory }
            state.learn(name, leadsTo: nil, on: machine)
            state.forgetName(newName, on: machine)
            try state.changeNames(by: machine) { (files, directory) throws(Errno) in
                try files.rename(name, to: newName, in: directory, isExclusive: isExclusive)
            }
            if let number = belief?.inode { state.mistake(newName, for: number, on: machine) }
            return true
        }
    }

    /// A name that is believed absent is not asked for.
    private func removals(_ name: String, _ state: WorldState) -> [Outcome] {
        if mayUseCache(state), let belief = state.outdatedName(name, on: machine(state)), belief.inode == nil {
            return [.fresh, .cached]
        }
        guard state.files.inode(named: name, in: state.sceneDirectory) != nil else { return [.fresh] }
        return completions(.noSuchFileOrDirectory, state)
    }

    func exchangeRemotely(_ first: String, _ second: String) throws(Errno) {
        _ = try remotely("exchange", "exchanges \(first) and \(second)", among: { _ in [.fresh] }) {
            (state, _) throws(Errno) in
            state.forgetName(first, on: machine(state))
            state.forgetName(second, on: machine(state))
            try state.changeNames(by: machine(state)) { (files, directory) throws(Errno) in
                if let error = files.refusals.exchange { throw error }
                try files.exchange(first, second, in: directory)
            }
            return true
        }
    }
}
