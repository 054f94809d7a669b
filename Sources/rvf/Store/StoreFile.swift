import ArgumentParser
import RVFLock
import RVFStore
import SystemPackage

struct StoreArgument: ParsableArguments {
    @Argument(help: "The store.")
    var file: FilePath

    /// The newest commit, read without a lock. Read by calls, since a program that cuts a mapped file short would
    /// end this process, and there is time.
    func snapshot() throws(Failure) -> Snapshot {
        do throws(StoreError) {
            var options = ReaderOptions()
            options.readMode = .positional
            return try StoreReader(at: file, options: options).snapshot()
        } catch {
            throw Failure(error)
        }
    }

    /// A writer, and with it the lock. A signal ends the wait for it.
    func writer(
        _ console: Console, _ interruption: Interruption, _ waiting: WaitOption
    ) throws(Failure) -> StoreWriter {
        var options = WriterOptions()
        options.lock = .command(console, interruption, wait: waiting.wait?.duration)
        do throws(StoreError) {
            return try StoreWriter.open(at: file, options: options)
        } catch {
            throw Failure(error)
        }
    }
}

extension Snapshot {
    /// Bytes behind the newest commit: of one that is under way, or was interrupted, or damaged.
    var unpublishedByteCount: UInt64 { fileByteCount - min(fileByteCount, core.manifest.end) }
}
