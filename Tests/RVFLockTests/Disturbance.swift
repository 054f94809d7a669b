import RVFHost
import RVFTestSupport
import SystemPackage

@testable import RVFLock

/// What can happen to a lock's files between any two calls of a process.
enum Disturbance: String, CaseIterable, Sendable {
    case lockRemoved
    case lockReplacedByPeer
    case lockReplacedByDirectory, lockReplacedByFIFO, lockReplacedByLink
    case dataReplaced, dataRemoved
    /// Another program makes a protected file where there was none.
    case dataAppears
    case secondAcquires, secondAcquiresAndReleases
    case lockRemovedAndSecondAcquires, lockRemovedDataAppearsAndSecondAcquires
    case dataReplacedAndSecondAcquires, dataRemovedAndSecondAcquires

    /// What a living naive peer has written.
    static let peer = Peer.living().encoded()

    /// Does it, with a second process of its own.
    func happen(data: FilePath, lock: FilePath, victim: FilePath, second: Simulated) -> TestLock? {
        switch self {
        case .lockRemoved: Files.remove(lock)
        case .lockReplacedByPeer: Files.replace(lock, with: Self.peer)
        case .lockReplacedByDirectory:
            Files.remove(lock)
            Files.makeDirectory(lock)
        case .lockReplacedByFIFO:
            Files.remove(lock)
            Files.makeFIFO(lock)
        case .lockReplacedByLink:
            Files.remove(lock)
            Files.makeLink(lock, to: victim.string)
        case .dataReplaced: Files.replace(data, with: [1, 2, 3])
        case .dataRemoved: Files.remove(data)
        case .dataAppears: if !Files.exists(data) { Files.write([4], data) }
        case .secondAcquires: return try? second.acquire(data)
        case .secondAcquiresAndReleases: try? second.acquire(data).release()
        case .lockRemovedAndSecondAcquires:
            Files.remove(lock)
            return try? second.acquire(data)
        case .lockRemovedDataAppearsAndSecondAcquires:
            Files.remove(lock)
            if !Files.exists(data) { Files.write([4], data) }
            return try? second.acquire(data)
        case .dataReplacedAndSecondAcquires:
            Files.replace(data, with: [1, 2, 3])
            return try? second.acquire(data)
        case .dataRemovedAndSecondAcquires:
            Files.remove(data)
            return try? second.acquire(data)
        }
        return nil
    }

    /// Whether somebody else's file stands at the lock's name because of it.
    var putsSomethingElse: Bool {
        switch self {
        case .lockReplacedByPeer, .lockReplacedByDirectory, .lockReplacedByFIFO, .lockReplacedByLink: true
        default: false
        }
    }
}

extension Disturbance {
    /// Whether another writer comes into it, a peer or one of ours.
    var concernsOthers: Bool {
        switch self {
        case .lockReplacedByPeer, .secondAcquires, .lockRemovedAndSecondAcquires, .dataRemovedAndSecondAcquires: true
        default: false
        }
    }
}

/// File systems as a test wants them seen.
enum Profile: String, CaseIterable, Sendable {
    case local, layered, remote

    func apply(to settings: inout HostScript.Settings) {
        switch self {
        case .local: return
        case .layered: settings.fileSystemType = FileSystemType(name: "overlayfs", guardMeaning: .layered)
        case .remote: settings.fileSystemType = FileSystemType(name: "nfs", guardMeaning: .remote)
        }
    }
}
