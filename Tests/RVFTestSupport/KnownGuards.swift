import RVFHost
import Synchronization

/// Which files the simulated processes of this test process have locked, by descriptor.
///
/// Other tests of the same process spawn helpers, and between its fork and its exec a child shares every kernel lock
/// there is. On a clock that only sleeps move, that moment would look as if a released lock stayed taken for as long
/// as anybody waits. So a busy lock that no simulated process has is given some real time to go.
enum KnownGuards {
    private static let locked = Mutex<[Int32: FileIdentity]>([:])

    static func add(_ descriptor: Int32, _ file: FileIdentity) { locked.withLock { $0[descriptor] = file } }
    static func remove(_ descriptor: Int32) { locked.withLock { _ = $0.removeValue(forKey: descriptor) } }
    static func contains(_ file: FileIdentity) -> Bool { locked.withLock { $0.values.contains(file) } }
}
