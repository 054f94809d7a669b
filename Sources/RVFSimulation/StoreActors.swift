import RVFHost
import RVFLock
import RVFStore
import SystemPackage

/// Processes that use a store, by the code that ships.
package enum StoreActors {
    private static let dimension = 2

    private static func vector(_ id: UInt64) -> [Float] { [Float(id), -Float(id)] }

    private static var options: WriterOptions {
        var options = WriterOptions()
        options.lock.renewal = .manual
        return options
    }

    /// The files of an empty store.
    package static func emptyStore() -> SimulatedFileSystem {
        let world = Explorer.alone(Scene.state(.noLock, hasData: false)) { host in
            _ = try? StoreWriterCore.create(
                host: host, registry: LockRegistry(), path: Scene.data, dimension: dimension, metric: .squaredL2,
                options: options)
        }
        return world.state.files
    }

    package static func state(_ files: SimulatedFileSystem, budget: Budget = Budget()) -> WorldState {
        var state = Scene.state(.noLock, hasData: false, budget: budget)
        state.files = files
        return state
    }

    /// A process that opens the store for each row that it adds.
    ///
    /// - Parameter compacts: whether it compacts after each.
    package static func writer(_ name: String, ids: [UInt64], compacts: Bool = false) -> World.Actor {
        World.Actor(name: name) { host in
            let registry = LockRegistry()
            for id in ids {
                do throws(StoreError) {
                    try add(id, host, registry, compacts)
                } catch {
                    // Refused: another one writes. Nothing was acknowledged.
                    continue
                }
            }
        }
    }

    private static func add(
        _ id: UInt64, _ host: SimulatedHost, _ registry: LockRegistry, _ compacts: Bool
    ) throws(StoreError) {
        var core = try StoreWriterCore.open(host: host, registry: registry, path: Scene.data, options: options)
        var transaction = Transaction()
        transaction.upsert([Row(id: id, vector: vector(id))])
        try core.commit(transaction)
        host.world.tell(host.process) { $0.noteAcknowledged(id) }
        if compacts { _ = try core.compact(WorkOptions()) }
    }

    /// A process that looks at the store again and again: what was acknowledged before a look is there, and nothing
    /// that a look has seen goes away.
    package static func reader(_ name: String, looks: Int) -> World.Actor {
        World.Actor(name: name) { host in
            do throws(StoreError) {
                try look(looks, host)
            } catch {
                // A call that the world let fail is no fault of the store's.
                if case .system = error { return }
                fail(host, "a reader cannot read: \(error)")
            }
        }
    }

    private static func look(_ looks: Int, _ host: SimulatedHost) throws(StoreError) {
        var seen: Set<UInt64> = []
        var expected = acknowledged(host)
        let reader = try StoreReaderCore(host: host, path: Scene.data, options: ReaderOptions())
        for _ in 0..<looks {
            let found = try ids(reader.snapshot)
            if !found.isSuperset(of: expected.union(seen)) {
                return fail(host, "a reader finds \(found.sorted()), where \(expected.union(seen).sorted()) should be")
            }
            seen = found
            expected = acknowledged(host)
            _ = try reader.refresh()
        }
    }

    /// The ids of a snapshot, whose rows are read too.
    private static func ids(_ snapshot: SnapshotCore<SimulatedHost>) throws(StoreError) -> Set<UInt64> {
        var ids: Set<UInt64> = []
        var isRight = true
        try snapshot.forEachRow(onDamage: .refuse) { id, row in
            ids.insert(id)
            if row.array() != vector(id) { isRight = false }
        }
        if !isRight { throw .damaged(Scene.data, offset: 0, what: "a row is not what was written") }
        return ids
    }

    private static func acknowledged(_ host: SimulatedHost) -> Set<UInt64> {
        host.world.isGhost(host.process) ? [] : host.world.state.referee.acknowledged
    }

    private static func fail(_ host: SimulatedHost, _ violation: String) {
        host.world.tell(host.process) { $0.noteViolation(violation) }
    }
}
