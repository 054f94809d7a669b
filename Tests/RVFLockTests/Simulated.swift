import RVFHost
import RVFTestSupport
import Synchronization
import SystemPackage

@testable import RVFLock

typealias TestHost = FaultyHost<POSIXHost>
typealias TestLock = HeldLock<TestHost>

/// One simulated process: a host with a process id of its own, and a registry of its own.
///
/// The ids are beyond those that Linux and macOS give away, so that no real process is meant.
final class Simulated: Sendable {
    private static let nextID = Atomic<Int32>(5_000_000)
    private static let living = Mutex<Set<Int32>>([])

    let host: TestHost
    let registry = LockRegistry()
    let events = EventLog()
    let id: Int32
    var script: HostScript { host.script }

    init(hostName: String = "here", prepare: (inout HostScript.Settings) -> Void = { _ in }) {
        host = TestHost(base: POSIXHost())
        id = Self.nextID.add(1, ordering: .relaxed).newValue
        let id = id
        Self.living.withLock { _ = $0.insert(id) }
        host.script.update {
            $0.processID = id
            $0.hostName = Array(hostName.utf8)
            $0.environment = [:]
            $0.systemFiles["/etc/hostname"] = .some(nil)
            $0.processState = { process in
                guard process >= 5_000_000 else { return nil }
                return Self.living.withLock { $0.contains(process) } ? .alive : .dead
            }
            prepare(&$0)
        }
    }

    /// Lets each sleep last a quarter of a second longer, so that a busy lock is believed at the second look.
    func becomeImpatient() {
        script.intercept { [script] call in
            if call.kind == .sleep { script.advance(seconds: 0.25) }
            return nil
        }
    }

    /// From now on the others see no process of this id.
    func die() { Self.living.withLock { _ = $0.remove(id) } }

    func acquire(_ path: FilePath, _ options: LockOptions = LockOptions()) throws(LockError) -> TestLock {
        var options = options
        let events = events
        if options.observer == nil { options.observer = { events.append($0) } }
        return try TestLock.acquire(host: host, registry: registry, protecting: path, options: options)
    }

    /// What acquiring says, if it fails.
    func acquireError(_ path: FilePath, _ options: LockOptions = LockOptions()) -> LockError? {
        do throws(LockError) {
            let lock = try acquire(path, options)
            try? lock.release()
            return nil
        } catch {
            return error
        }
    }

    func status(_ path: FilePath, rules: LockRules = .rvf) -> LockStatus {
        LockStatus.inspect(path, host: host, rules: rules, identity: nil)
    }
}

/// What an observer was told, in order.
final class EventLog: Sendable {
    private let events = Mutex<[LockEvent]>([])

    func append(_ event: LockEvent) { events.withLock { $0.append(event) } }
    var all: [LockEvent] { events.withLock { $0 } }
    var losses: [LossReason] {
        all.compactMap { if case .lost(let reason) = $0 { reason } else { nil } }
    }
}

extension HeldLock {
    /// Whether the holder may write, by its own word.
    var isValid: Bool { validationError == nil }

    var validationError: LockError? {
        do throws(LockError) {
            try validate()
            return nil
        } catch { return error }
    }

    var lossReason: LossReason? {
        if case .lost(let reason, _) = validationError { reason } else { nil }
    }

    var renewalError: LockError? {
        do throws(LockError) {
            try renew()
            return nil
        } catch { return error }
    }

    var releaseError: LockError? {
        do throws(LockError) {
            try release()
            return nil
        } catch { return error }
    }
}

/// A count that closures may raise.
final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    @discardableResult func up() -> Int { value.add(1, ordering: .relaxed).newValue }
    @discardableResult func down() -> Int { value.subtract(1, ordering: .relaxed).newValue }
    var now: Int { value.load(ordering: .relaxed) }
}

/// A value that closures may set.
final class Box<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>
    init(_ value: Value) { stored = Mutex(value) }
    var value: Value {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
    func update(_ change: (inout Value) -> Void) {
        stored.withLock { change(&$0) }
    }
}

/// Small pseudorandom numbers (splitmix64), the same for the same seed everywhere.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}
