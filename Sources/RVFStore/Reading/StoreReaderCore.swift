package import RVFHost
import Synchronization
package import SystemPackage

/// A reader over any host. Safe to share between threads.
package final class StoreReaderCore<H: Host>: Sendable {
    /// What was known of the file when it was last looked at.
    private struct Look: Sendable {
        var status: FileStatus
        var wallClockNanoseconds: Int64
    }

    private struct State: Sendable {
        var snapshot: SnapshotCore<H>
        var look: Look
    }

    private let location: StoreLocation<H>
    private let options: ReaderOptions
    private let state: Mutex<State>
    /// Keeps two refreshes from doing the same work; whoever wants the snapshot meanwhile does not wait for it.
    private let refreshing = Mutex(())
    private let feed = Mutex(WeakFeed())

    /// What all who wait for commits share, for as long as there is somebody who may.
    private struct WeakFeed: Sendable {
        weak var feed: CommitFeed<H>?
    }

    /// A write within this time after a look may leave the modification time as it was: file systems store it in
    /// steps, of 2 s at most (FAT).
    private static var timestampStepNanoseconds: Int64 { 2_000_000_000 }

    package init(host: H, path: FilePath, options: ReaderOptions) throws(StoreError) {
        location = try StoreLocation(host: host, path: path)
        self.options = options
        state = Mutex(try Self.open(location, options))
    }

    package var host: H { location.host }

    package func newWatch() -> CommitWatch<H> { CommitWatch(location) }

    package func commitFeed() -> CommitFeed<H> {
        feed.withLock { held in
            if let feed = held.feed { return feed }
            let feed = CommitFeed(self, newWatch())
            held.feed = feed
            return feed
        }
    }

    package var snapshot: SnapshotCore<H> { state.withLock { $0.snapshot } }

    private static func open(_ location: StoreLocation<H>, _ options: ReaderOptions) throws(StoreError) -> State {
        let file = try location.open(.readOnly)
        // The clock first: what is written from then on must not seem older than the look.
        let now = location.host.wallClockNanoseconds()
        let look = Look(status: try file.status(), wallClockNanoseconds: now)
        let source = ByteSource(file: file, byteCount: UInt64(max(0, look.status.sizeBytes)), mode: options.readMode)
        var finder = ManifestFinder(source)
        let snapshot = SnapshotCore(source: source, manifest: try finder.newestOrFailure())
        if options.verification == .atOpen { _ = try snapshot.damages() }
        return State(snapshot: snapshot, look: look)
    }

    /// Moves to the newest manifest; true where it is another one than before.
    package func refresh() throws(StoreError) -> Bool {
        try refreshing.withLock { _ throws(StoreError) in
            let before = state.withLock { $0 }
            guard let after = try newer(than: before) else { return false }
            state.withLock { $0 = after }
            return after.snapshot !== before.snapshot
        }
    }

    /// Nil where nothing has changed since the last look.
    private func newer(than before: State) throws(StoreError) -> State? {
        let now = location.host.wallClockNanoseconds()
        let status = try location.status()
        let snapshot = before.snapshot
        let size = UInt64(max(0, status.sizeBytes))
        // Another file, or one that somebody cut short: what was known of it is worth nothing.
        guard status.identity == before.look.status.identity, size >= snapshot.source.byteCount else {
            return try Self.open(location, options)
        }
        if isSettled(before, status) { return nil }
        let look = Look(status: status, wallClockNanoseconds: now)
        let source = ByteSource(file: snapshot.source.file, byteCount: size, mode: options.readMode)
        var finder = ManifestFinder(source)
        guard let manifest = try finder.newest(after: snapshot.manifest) else {
            // The look is remembered, so that the same bytes are not searched at every call.
            return State(snapshot: snapshot, look: look)
        }
        let next = SnapshotCore(source: source, manifest: manifest, previous: snapshot)
        if options.verification == .atOpen { _ = try next.damages() }
        return State(snapshot: next, look: look)
    }

    /// Whether the file holds no bytes that were not looked at.
    private func isSettled(_ before: State, _ status: FileStatus) -> Bool {
        let look = before.look
        guard status.sizeBytes == look.status.sizeBytes else { return false }
        // Nothing stands behind the manifest that could become one.
        if before.snapshot.manifest.end == UInt64(max(0, status.sizeBytes)) { return true }
        let age = look.wallClockNanoseconds.subtractingReportingOverflow(status.modifiedNanoseconds)
        return status.modifiedNanoseconds == look.status.modifiedNanoseconds
            && !age.overflow && age.partialValue > Self.timestampStepNanoseconds
    }
}
