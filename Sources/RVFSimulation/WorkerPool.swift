import Dispatch
import Foundation
import Synchronization

/// Threads that are kept for one short task after another: making one for each process of each of a million runs would
/// cost more than the runs.
package final class WorkerPool: Sendable {
    private final class Worker: Sendable {
        let wake = DispatchSemaphore(value: 0)
        let task = Mutex<(@Sendable () -> Void)?>(nil)
    }

    private let idle = Mutex<[Worker]>([])

    package init() {}

    deinit {
        // A worker without a task ends.
        for worker in idle.withLock({ $0 }) { worker.wake.signal() }
    }

    package func start(_ task: @escaping @Sendable () -> Void) {
        let worker = idle.withLock { $0.popLast() } ?? makeWorker()
        worker.task.withLock { $0 = task }
        worker.wake.signal()
    }

    private func makeWorker() -> Worker {
        let worker = Worker()
        let thread = Thread { [weak self] in
            while true {
                worker.wake.wait()
                guard let task = worker.task.withLock({ task in task.take() }) else { return }
                task()
                guard let pool = self else { return }
                pool.idle.withLock { $0.append(worker) }
            }
        }
        // Debug builds of the lock's code need more than the half MiB that a thread gets.
        thread.stackSize = 4 << 20
        thread.start()
        return worker
    }
}
