import RVFStore
import Synchronization

/// What a piece of work told of its progress.
final class Seen: Sendable {
    private let all = Mutex<[StoreProgress]>([])

    func note(_ progress: StoreProgress) { all.withLock { $0.append(progress) } }

    var last: StoreProgress? { all.withLock { $0.last } }
    var isRising: Bool {
        all.withLock { all in zip(all, all.dropFirst()).allSatisfy { $0.doneByteCount <= $1.doneByteCount } }
    }
}
