import RVFHost
import RVFLock
import SystemPackage

/// What is known of one process: which files it has open, and where in the model it is.
struct Walker {
    /// What came of a call.
    enum Outcome {
        case done
        case descriptor(Int32)
        case file(UInt64)
        case bytes([UInt8])
        case flag(Bool)
        case message([UInt8], [Int32])
        case failed(Errno)
    }

    /// What an open file is to the process.
    private enum Role { case lock, data, draft, oldData, judged, look, litter, other }

    let isSuccessor: Bool
    var matcher: StepMatcher
    /// Whether a call was made to fail.
    var hasFailed = false
    var isOver = false
    /// Whether it holds by its own account.
    var saysItHolds = false
    /// What the process was told wrongly.
    var lie: String?

    private var roles: [Int32: Role] = [:]
    /// The private names that it has given itself; all others are litter, for the sweep.
    private var ownNames: Set<String> = []
    /// The writer id of the record that it wrote last.
    private var writerID: WriterID?
    /// What it read last in the lock file, and when that was written.
    private var judged: LockRecordReading?
    private var judgedModified: Int64 = 0
    /// Whether nobody can have found stale what it judged, by the time at which it wrote over it: it need not wait for
    /// anybody then.
    private var mayHurry = false
    /// Whether its draft, once exchanged with the lock file, was to come back.
    private var hasExchanged = false
    /// Whether it is out for the lock: before it first opens the protected file for writing, its looks at that are its own
    /// affair.
    private var isTrying = false
    /// Whether opening the lock file for writing was refused last.
    private var wasDenied = false

    init(_ rules: CompiledRules, isSuccessor: Bool) {
        self.isSuccessor = isSuccessor
        matcher = StepMatcher(rules, isSuccessor: isSuccessor)
    }

    // MARK: Calls

    /// Nil for a call that has nothing to do with the lock.
    mutating func sign(
        of call: HostCall, _ outcome: Outcome, _ process: Int, _ state: WorldState, lockWas: UInt64?
    ) -> Sign? {
        let scene = Sight(process: process, state: state, lockWas: lockWas)
        switch call {
        case .open(let name, let isWritable, let creates): return open(name.string, isWritable, creates, outcome)
        case .openUnnamed: return made(outcome)
        case .linkUnnamed(let file, let name): return named(file.rawValue, name.string, outcome, scene)
        case .close(let file, _, let wasLocked): return close(file.rawValue, wasLocked)
        case .read(let file): return read(file.rawValue, outcome, scene)
        case .write(let file, let bytes, let offset): return write(file.rawValue, bytes, offset, outcome, scene)
        case .examine(let file): return examine(file.rawValue)
        case .cut(let file): return roles[file.rawValue] == .lock ? .cutL : nil
        case .lock(let file): return lock(file.rawValue, outcome, scene)
        case .look(let name): return look(name.string, outcome, scene)
        case .link(let from, let to): return renamed(from.string, to.string, isExclusive: true, outcome, scene)
        case .rename(let from, let to, let isExclusive):
            return renamed(from.string, to.string, isExclusive: isExclusive, outcome, scene)
        case .exchange: return exchanged(outcome)
        case .unlink(let name): return unlinked(name.string)
        case .list: return .list
        case .sleep(let nanoseconds): return sleep(nanoseconds, scene)
        case .askProcess: return .ask
        case .send(let bytes, let files): return sent(bytes, files.map(\.rawValue), outcome)
        case .receive(let end): return received(outcome, isOver: scene.state.sockets.isOver(end))
        case .commit: return .commit
        case .exit: return .exit
        case .quiet: return nil
        }
    }

    /// The world as it is after a call.
    private struct Sight {
        var process: Int
        var state: WorldState
        /// The inode at the lock file's name before the call.
        var lockWas: UInt64?

        func inode(_ descriptor: Int32?) -> UInt64? {
            descriptor.flatMap { state.processes[process].descriptors[$0]?.inode }
        }

        func isLocked(_ descriptor: Int32) -> Bool {
            guard let open = state.processes[process].descriptors[descriptor] else { return false }
            return state.files.inodes[open.inode]?.lockedBy == open.description
        }

        var isGuarding: Bool { state.files.type.guardMeaning != .remote }
    }

    private func descriptor(_ role: Role) -> Int32? { roles.first { $0.value == role }?.key }

    private mutating func strange(_ why: String) -> Sign {
        lie = why
        return .strange
    }

    private mutating func open(_ name: String, _ isWritable: Bool, _ creates: Bool, _ outcome: Outcome) -> Sign? {
        if name == Scene.dataName, isWritable { isTrying = true }
        guard case .descriptor(let number) = outcome else { return opened(name, isWritable, creates, failing: outcome) }
        switch name {
        case Scene.lockName:
            if creates || isWritable {
                judged = nil
                roles[number] = .lock
                return creates ? .createL : .openL
            }
            roles[number] = wasDenied ? .lock : .look
            defer { wasDenied = false }
            return wasDenied ? .openLReadOnly : .openForALook
        case Scene.dataName:
            let isFirst = isWritable && descriptor(.data) == nil
            roles[number] = isFirst ? .data : .other
            return isFirst ? .openF : nil
        default:
            roles[number] = creates ? .draft : .litter
            if creates { ownNames.insert(name) }
            return creates ? .makeDraft : nil
        }
    }

    private mutating func opened(_ name: String, _ isWritable: Bool, _ creates: Bool, failing outcome: Outcome) -> Sign? {
        guard case .failed(let error) = outcome else { return nil }
        switch name {
        case Scene.lockName:
            if error == .permissionDenied {
                wasDenied = true
                return .openLDenied
            }
            return error == .fileExists ? .createLTaken : .openLAbsent
        case Scene.dataName: return isWritable ? .openFAbsent : nil
        default: return creates ? .makeDraftUnsupported : nil
        }
    }

    private mutating func made(_ outcome: Outcome) -> Sign {
        guard case .descriptor(let number) = outcome else { return .makeDraftUnsupported }
        roles[number] = .draft
        return .makeDraft
    }

    private mutating func close(_ number: Int32, _ wasLocked: Bool) -> Sign? {
        switch roles.removeValue(forKey: number) {
        case .lock: wasLocked ? .closeL : nil
        case .data: wasLocked ? .closeF : nil
        case .judged: wasLocked ? .closeJudgedL : nil
        case .oldData: wasLocked ? .closeOldF : nil
        case .draft: closedDraft()
        default: nil
        }
    }

    private mutating func closedDraft() -> Sign {
        hasExchanged = false
        return .closeDraft
    }

    private func examine(_ number: Int32) -> Sign? {
        switch roles[number] {
        case .lock: .examineL
        case .data: .examineF
        case .draft: .examineDraft
        case .look: .lookInside
        default: nil
        }
    }

    private mutating func lock(_ number: Int32, _ outcome: Outcome, _ scene: Sight) -> Sign? {
        guard let role = roles[number], [.lock, .data, .draft].contains(role) else { return nil }
        guard case .flag(true) = outcome else { return role == .lock ? .lockLBusy : role == .data ? .lockFBusy : .strange }
        guard scene.isLocked(number) else { return strange("it was told that it has the kernel lock, and has it not") }
        return role == .lock ? .lockL : role == .data ? .lockF : .lockDraft
    }

    private func sleep(_ nanoseconds: Int64, _ scene: Sight) -> Sign {
        if nanoseconds >= LockOptions().settle.nanoseconds { return .sleepSettle }
        return mayHurry ? .sleepHurry : .sleep
    }

    private func isSurelyFresh(_ judged: LockRecordReading, _ scene: Sight) -> Bool {
        guard judged.problems.isEmpty, let record = judged.record, record.isGuarded else { return false }
        let now = scene.state.wallClockNanoseconds(on: scene.state.processes[scene.process].machine)
        return now - Int64(record.timestampNanoseconds) < LockTiming.surelyFreshAge
    }

    // MARK: Content

    private mutating func read(_ number: Int32, _ outcome: Outcome, _ scene: Sight) -> Sign? {
        if roles[number] == .look { return .lookInside }
        guard roles[number] == .lock, case .bytes(let bytes) = outcome, let inode = scene.inode(number) else { return nil }
        let file = scene.state.files
        if bytes != file.read(inode, at: 0, count: LockRecord.byteCount) {
            return bytes.isEmpty ? nil : strange("it was told another content than the lock file has")
        }
        let reading = LockRecordReading(bytes)
        judged = reading
        judgedModified = file.inodes[inode]?.modifiedNanoseconds ?? 0
        if let record = reading.record, record.writerID == writerID { return .readMine }
        let machine = scene.state.processes[scene.process].machine
        let name = Array(scene.state.machines[machine].name.utf8)
        return reading.record?.hostName == name ? .readHere : .readElsewhere
    }

    private mutating func write(
        _ number: Int32, _ bytes: [UInt8], _ offset: Int64, _ outcome: Outcome, _ scene: Sight
    ) -> Sign? {
        let role = roles[number]
        guard role == .lock || role == .draft else { return nil }
        let isRecord = offset == 0 && bytes.count == LockRecord.byteCount
        if role == .lock {
            if scene.isGuarding, !scene.isLocked(number) { return strange("it writes without the kernel lock") }
            if let why = tooEarly(scene) { return strange(why) }
            if let judged { mayHurry = isSurelyFresh(judged, scene) }
            // From its first write on the file tells what it has made it tell.
            judged = nil
        }
        guard isRecord, let record = LockRecordReading(bytes).record else {
            if role == .draft { return .writeDraft }
            let field = LockRecord.Layout.timestamp
            let isTimestamp = Int(offset) + bytes.count == field.end && Int(offset) >= field.offset - 1
            return isTimestamp ? .writeTimestamp : strange("it writes \(bytes.count) bytes at \(offset)")
        }
        if record.isGuarded != (scene.state.files.type.guardMeaning == .coherent) {
            return strange("the record's guard byte is not what the file system asks for")
        }
        writerID = record.writerID
        return role == .lock ? .writeRecord : .writeDraftRecord
    }

    /// Why what was read last cannot have been found stale, by the world's own clock and processes; nil where it was its
    /// own record, or one that may be taken over.
    private func tooEarly(_ scene: Sight) -> String? {
        guard let judged else { return nil }
        let state = scene.state
        let machine = state.processes[scene.process].machine
        let now = state.wallClockNanoseconds(on: machine)
        guard let record = judged.record else {
            // The clock that stamps files, on which the judge's may be ahead.
            return judged.isEmpty && now - judgedModified <= 30_000_000_000 ? "the empty file is younger than 30 s" : nil
        }
        if record.writerID == writerID || (record.isGuarded && state.files.type.guardMeaning == .coherent) { return nil }
        let age = now - Int64(record.timestampNanoseconds)
        let isHere = record.hostName == Array(state.machines[machine].name.utf8)
        if isHere, state.state(of: Int32(record.processID), on: machine) == .alive { return "its holder lives" }
        return age <= (isHere ? 30_000_000_000 : 300_000_000_000) ? "the record is too young" : nil
    }

    // MARK: Names

    private mutating func look(_ name: String, _ outcome: Outcome, _ scene: Sight) -> Sign? {
        let directory = scene.state.sceneDirectory
        let actual = scene.state.files.inode(named: name, in: directory)
        var found: UInt64?
        if case .file(let inode) = outcome { found = inode }
        if found != actual { return strange("it was told that \(name) leads elsewhere than it does") }
        switch name {
        case Scene.lockName:
            guard let found else { return .lookLAbsent }
            return found == scene.inode(descriptor(.lock)) ? .lookL : .lookLOther
        case Scene.dataName:
            if !isTrying { return nil }
            guard let own = scene.inode(descriptor(.data)) else { return found == nil ? .lookFAbsent : .lookFFound }
            return found == own ? .lookF : .lookFOther
        default:
            if !ownNames.contains(name) { return nil }
            guard let found else { return .lookAsideAbsent }
            let wanted = descriptor(.judged) ?? descriptor(.lock)
            if wanted == nil { return nil }
            return found == scene.inode(wanted) ? .lookAside : .lookAsideOther
        }
    }

    private mutating func named(_ number: Int32, _ name: String, _ outcome: Outcome, _ scene: Sight) -> Sign? {
        let isLock = name == Scene.lockName
        guard isLock || name == Scene.dataName else { return nil }
        if case .failed(let error) = outcome {
            if error == .fileExists { return isLock ? .publishLTaken : .publishFTaken }
            return isLock ? .publishLUnsupported : nil
        }
        roles[number] = isLock ? .lock : .data
        if isLock {
            judged = nil
            hasExchanged = false
            if scene.lockWas != nil { return strange("the name was taken") }
        }
        return isLock ? .publishL : .publishF
    }

    private mutating func renamed(
        _ from: String, _ to: String, isExclusive: Bool, _ outcome: Outcome, _ scene: Sight
    ) -> Sign? {
        if from == Scene.lockName {
            if case .failed = outcome { return .putAsideAbsent }
            ownNames.insert(to)
            return .putAside
        }
        if from == Scene.dataName { return strange("it moves the protected file") }
        guard let draft = descriptor(.draft), !hasExchanged else {
            return to == Scene.lockName && isExclusive ? .putBack : nil
        }
        if isExclusive { return named(draft, to, outcome, scene) }
        guard to == Scene.dataName else { return strange("it replaces what has the name") }
        if let old = descriptor(.data) { roles[old] = .oldData }
        roles[draft] = .data
        return .replaceF
    }

    private mutating func exchanged(_ outcome: Outcome) -> Sign? {
        if case .failed = outcome { return unexchanged() }
        if let draft = descriptor(.draft), let lock = descriptor(.lock) {
            roles[draft] = .lock
            roles[lock] = .judged
            hasExchanged = true
            return .exchangeIn
        }
        guard let lock = descriptor(.lock), let judged = descriptor(.judged) else { return .strange }
        roles[lock] = .draft
        roles[judged] = .lock
        return .exchangeBack
    }

    /// There is no lock file to exchange; if it was one to be exchanged back, its own is a draft again.
    private mutating func unexchanged() -> Sign {
        if let lock = descriptor(.lock), let judged = descriptor(.judged) {
            roles[lock] = .draft
            roles[judged] = .lock
        }
        return .exchangeLAbsent
    }

    private mutating func unlinked(_ name: String) -> Sign? {
        if name == Scene.lockName { return strange("it removes the lock file where it stands") }
        if !ownNames.contains(name) { return nil }
        return descriptor(.draft) != nil ? .unnameDraft : .removeAside
    }

    // MARK: Hand-over

    private mutating func sent(_ bytes: [UInt8], _ files: [Int32], _ outcome: Outcome) -> Sign {
        // What comes of an answer is the other one's affair.
        guard bytes.starts(with: HandOverMessage.magic) else {
            if bytes == [HandOverMessage.confirmed] { return .confirm }
            let isGuarding = descriptor(.lock) != nil || descriptor(.data) != nil
            return isGuarding ? strange("it refuses while it has the files open") : .refuse
        }
        if case .failed = outcome { return .cannotHandOver }
        let own = [descriptor(.lock), descriptor(.data)].compactMap(\.self)
        return files == own ? .handOver : strange("it sends other files than those that it has locked")
    }

    /// - Parameter isOver: whether the process at the other end has ended.
    private mutating func received(_ outcome: Outcome, isOver: Bool) -> Sign {
        guard case .message(let bytes, let files) = outcome, let first = bytes.first else {
            if roles.isEmpty { return .receivedNothing }
            return isOver ? .successorGone : strange("it was told that its successor is gone, which lives")
        }
        guard bytes.starts(with: HandOverMessage.magic) else {
            return first == HandOverMessage.confirmed ? .confirmation : .refusal
        }
        for (file, role) in zip(files, [Role.lock, .data]) { roles[file] = role }
        isTrying = true
        writerID = LockRecordReading(Array(bytes.dropFirst(HandOverMessage.headerBytes))).record?.writerID
        return .received
    }
}
