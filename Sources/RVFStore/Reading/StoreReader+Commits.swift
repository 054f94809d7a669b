import RVFHost

extension StoreReader {
    /// The states that follow the reader's present one, as they are committed, by whatever process.
    ///
    /// ```swift
    /// for try await snapshot in reader.commits() {
    ///     print("epoch \(snapshot.epoch): \(snapshot.liveCount) rows")
    /// }
    /// ```
    ///
    /// An element is the newest state there is: of several commits since the last element only the last is seen (use
    /// ``Snapshot/changes(since:)`` for what they changed together). A compaction, or another file that takes the
    /// store's name, counts as a commit. Waiting moves the reader, as ``refresh()`` does.
    ///
    /// The sequence ends when its task is cancelled, and throws what ``refresh()`` throws, such as
    /// ``StoreError/system(_:_:_:)`` where the file was deleted; it is over then, and a new one can be made.
    ///
    /// On Linux the kernel tells of each commit. Where it does not (on macOS; where there are no watches left; for what
    /// other machines do to a shared file system) the file is looked at every 20 ms, or every 100 ms beside a watch.
    /// All sequences of one reader share one watch and one thread. The thread is there while somebody waits, and ends
    /// within about 200 ms after that; the watch goes with the last sequence and iterator.
    public func commits() -> Commits {
        Commits(feed: core.commitFeed(), seen: core.snapshot)
    }

    /// Blocks the thread until there is a newer state than the reader's present one, and moves to the newest. Where
    /// there is one already, that is at once. In async code, use ``commits()``.
    ///
    /// - Parameter timeout: how long to wait at most; nil for ever.
    /// - Returns: whether there is a newer state; false where the time is over.
    /// - Throws: as ``refresh()`` does.
    @discardableResult
    public func waitForCommit(timeout: Duration? = nil) throws(StoreError) -> Bool {
        try core.waitForCommit(timeoutNanoseconds: timeout?.clampedNanoseconds)
    }

    /// See ``StoreReader/commits()``.
    public struct Commits: AsyncSequence, Sendable {
        public typealias Element = Snapshot
        public typealias Failure = StoreError

        let feed: CommitFeed<POSIXHost>
        let seen: SnapshotCore<POSIXHost>

        public func makeAsyncIterator() -> Iterator {
            Iterator(feed: feed, seen: seen)
        }

        public struct Iterator: AsyncIteratorProtocol {
            fileprivate let feed: CommitFeed<POSIXHost>
            /// Nil once the sequence is over.
            fileprivate var seen: SnapshotCore<POSIXHost>?

            /// The newest state, once it is newer than the last that was given; nil where the task is cancelled.
            public mutating func next(
                isolation actor: isolated (any Actor)? = #isolation
            ) async throws(StoreError) -> Snapshot? {
                guard let last = seen else { return nil }
                seen = nil
                guard let snapshot = try await feed.next(after: last).get() else { return nil }
                seen = snapshot
                return Snapshot(core: snapshot)
            }
        }
    }
}

extension Duration {
    /// Held at the ends of Int64.
    fileprivate var clampedNanoseconds: Int64 {
        let (seconds, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = seconds.addingReportingOverflow(components.attoseconds / 1_000_000_000)
        return overflow || carried ? (self < .zero ? .min : .max) : sum
    }
}
