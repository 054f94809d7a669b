import RVFHost
import RVFLock
import RVFReference
import RVFStore
import RVFTestSupport
import SystemPackage

/// A file that cannot be read as a store, and creates in its place.
struct DamagedScene {
    let scratch = Scratch()
    var path: FilePath { scratch("data.rvf") }
    /// The first name that a damaged file is moved to.
    var aside: FilePath { scratch("data.rvf.damaged-1") }

    /// A store of one row.
    static let store: [UInt8] = {
        var peer = ReferenceWriter(dimension: 3)
        peer.ingest(rows([5], dimension: 3))
        return peer.file
    }()
    static let empty = ReferenceWriter(dimension: 3).file

    static func options(replacesDamaged: Bool = true) -> WriterOptions {
        var options = WriterOptions()
        options.lock.renewal = .manual
        options.replacesDamaged = replacesDamaged
        return options
    }

    /// What a create by a process of its own says, if it fails.
    func create(
        _ host: FaultyHost<POSIXHost> = FaultyHost(base: POSIXHost()), replacesDamaged: Bool = true
    ) -> StoreError? {
        storeError { () throws(StoreError) in
            _ = try StoreWriterCore.create(
                host: host, registry: LockRegistry(), path: path, dimension: 7, metric: .cosine,
                options: Self.options(replacesDamaged: replacesDamaged))
        }
    }
}
