package import RVFHost
import SystemPackage

/// Tells when a store's file may have changed: at once where the system tells, else it is looked at now and then. Used
/// by one thread at a time.
package final class CommitWatch<H: Host>: Sendable {
    private let host: H
    private let names: [FilePath]
    private let watch: FileDescriptor?

    /// Between looks where the system tells of changes. It does not tell what another machine does to a shared file
    /// system, nor that the name, or a link on the way to it, leads elsewhere.
    static var watchedIntervalNanoseconds: Int64 { 100_000_000 }
    /// Between looks where it tells nothing. A look costs about a microsecond.
    static var polledIntervalNanoseconds: Int64 { 20_000_000 }

    init(_ location: StoreLocation<H>) {
        host = location.host
        // A modification is told in the directory of the file itself, wherever the link stands that leads to it. One
        // watch tells of appended bytes and of another file that takes the name.
        let path = try? host.resolve(location.path)
        names = path?.lastComponent.map { [FilePath(root: nil, [$0])] } ?? []
        watch = path.flatMap { [host] in try? host.watch($0.removingLastComponent(), for: .modifications) }
    }

    deinit {
        if let watch { host.unwatch(watch) }
    }

    /// Waits until it is worth looking again.
    ///
    /// - Parameter lookNanoseconds: what the last look took.
    package func pause(atMostNanoseconds longest: Int64, afterLookOf lookNanoseconds: Int64) {
        guard let watch else { return host.sleep(nanoseconds: min(longest, Self.polledIntervalNanoseconds)) }
        do throws(Errno) {
            let limit = min(longest, Self.watchedIntervalNanoseconds)
            guard try host.awaitChange(watch, of: names, timeoutNanoseconds: limit) else { return }
            // A large commit is written in many pieces, and each look at it searches all that is there: what comes
            // meanwhile is looked at together, so that waiting takes a fifth of a processor at most.
            let shortLook: Int64 = 250_000
            if lookNanoseconds > shortLook { host.sleep(nanoseconds: min(limit, 4 * lookNanoseconds)) }
        } catch {
            host.sleep(nanoseconds: min(longest, Self.polledIntervalNanoseconds))
        }
    }
}
