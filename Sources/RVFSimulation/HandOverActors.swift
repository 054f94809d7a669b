import RVFHost
import RVFLock
package import SystemPackage

extension LockActors {
    /// A process that acquires, hands the lock over through its end of a pair of sockets, and commits if it keeps it.
    ///
    /// - Parameter successor: the number of the process at the other end.
    package static func predecessor(_ name: String, successor: Int, work: Work = .commit, defect: Defect? = nil) -> World.Actor {
        World.Actor(name: name, socketEnd: 0) { host in
            var host = host
            host.defect = defect
            do throws(LockError) {
                let lock = try HeldLock.acquire(
                    host: host, registry: LockRegistry(), protecting: Scene.data, options: LockOptions(renewal: .manual))
                host.world.tell(host.process) { $0.noteAcquired(host.process) }
                host.forgetWhatItSaw()
                try perform(work, lock, host)
                host.world.tell(host.process) {
                    $0.noteHandingOver(Referee.Custody(predecessor: host.process, successor: successor))
                }
                defer { host.world.tell(host.process) { $0.noteHandedOver() } }
                if case .handedOver = try lock.handOver(over: host.inheritedSocket) { return }
                host.world.tell(host.process) { $0.noteAcquired(host.process) }
                try commitAndRelease(lock, host)
            } catch {
                // Refused, or lost: it is no holder, and knows it.
                host.world.tell(host.process) { $0.noteReleasing(host.process) }
            }
        }
    }

    /// A process that takes the lock from the other end of its pair of sockets.
    ///
    /// - Parameter path: what it believes the protected file to be.
    package static func successor(
        _ name: String, protecting path: FilePath = Scene.data, defect: Defect? = nil
    ) -> World.Actor {
        World.Actor(name: name, socketEnd: 1) { host in
            var host = host
            host.defect = defect
            do throws(LockError) {
                let lock = try HeldLock.adopt(
                    host: host, registry: LockRegistry(), protecting: path, over: host.inheritedSocket,
                    options: LockOptions(renewal: .manual))
                host.world.tell(host.process) { $0.noteAcquired(host.process) }
                host.forgetWhatItSaw()
                host.close(host.inheritedSocket)
                try commitAndRelease(lock, host)
            } catch {
                host.world.tell(host.process) { $0.noteReleasing(host.process) }
            }
        }
    }

    private static func commitAndRelease(_ lock: HeldLock<SimulatedHost>, _ host: SimulatedHost) throws(LockError) {
        try perform(.commit, lock, host)
        host.world.tell(host.process) { $0.noteReleasing(host.process) }
        try lock.release()
    }
}
