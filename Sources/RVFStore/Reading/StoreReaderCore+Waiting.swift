import RVFHost

extension StoreReaderCore {
    /// See ``StoreReader/waitForCommit(timeout:)``.
    package func waitForCommit(timeoutNanoseconds timeout: Int64?) throws(StoreError) -> Bool {
        let seen = snapshot
        let start = host.bootClockNanoseconds()
        var watch: CommitWatch<H>?
        while true {
            let (failure, lookNanoseconds) = timedRefresh()
            if snapshot !== seen { return true }
            if let failure { throw failure }
            let left = timeout.map { $0 - (host.bootClockNanoseconds() - start) } ?? .max
            if left <= 0 { return false }
            if let watch {
                watch.pause(atMostNanoseconds: left, afterLookOf: lookNanoseconds)
            } else {
                // What was committed before the watch began is not told, so the next look follows at once.
                watch = newWatch()
            }
        }
    }

    /// One refresh, why it failed, and how long it took.
    func timedRefresh() -> (failure: StoreError?, nanoseconds: Int64) {
        let start = host.bootClockNanoseconds()
        var failure: StoreError?
        do throws(StoreError) {
            _ = try refresh()
        } catch {
            failure = error
        }
        return (failure, host.bootClockNanoseconds() - start)
    }
}
