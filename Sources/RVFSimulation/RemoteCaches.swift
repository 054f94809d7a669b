import RVFHost
import SystemPackage

/// What machines know of a file system that they reach through a network, each by caches of its own.
///
/// Modelled on the Linux NFS client with its usual options, as `nfs(5)` and the client's sources (`fs/nfs/dir.c`,
/// `fs/nfs/inode.c`) describe it:
///
/// - **Names.** That a name leads to a file, or to none, is believed for as long as the directory's attributes are
///   (`acdirmax`, 60 s). A name that is believed absent is absent for `stat`, `open` and as the source of a `rename`. One
///   that is believed to lead to a file leads there for `stat`; for `open` only if the server still has that file under
///   some name (a version 3 client asks the server for the file, not for the name). After a `rename` the new name leads
///   to what the old one was believed to lead to.
/// - **Close to open.** Opening a file asks the server for its attributes, and bytes that are older are forgotten. Opening
///   a directory asks for its attributes, and if it has changed, what is believed of its names is forgotten. Between
///   that, bytes and attributes are believed for up to `acregmax` (60 s).
/// - **Writing back.** What is written stays on the machine until a sync, or until a descriptor of the file that was open
///   for writing is closed there, also by a kill. It may reach the server at any time before: whether it has is decided
///   when another machine looks.
/// - **Names are changed at the server**, atomically, and what is believed of them is forgotten. The server goes by names,
///   whatever the client believed to be there.
/// - **Stale handles.** A file whose last name another machine takes away is gone, though it is open: every call on it
///   gives ESTALE, and its inode number is used again at once (version 3; a version 4 server keeps an open file). If its own
///   machine takes the name away the file stays until it is closed, as a client sees to by a hidden name.
/// - **Lost replies.** What was asked for may be done and still be answered by a failure: a repetition's EEXIST or ENOENT, or
///   EIO from a mount that gives up. (The duplicate request cache of a server makes the first two rare.)
///
/// With ``RemoteCaching/isCloseToOpen`` false an open shows what the caches have, as where a mount says `nocto`, or where a
/// client goes by time alone.
///
/// A cache is a choice: at each look what is believed and what is true are both tried, where they differ. A belief that
/// is found true counts from then on. Not modelled: delegations and leases, which make caches truer; `readdir` caches
/// (the directory is opened for each listing); directory times so coarse that a change goes unnoticed.
package struct RemoteCaches: Hashable, Sendable {
    package var caching: RemoteCaching
    /// How long a call takes.
    package var callNanoseconds: Int64 = 0
    /// By machine.
    var views: [Int: RemoteView] = [:]

    package init(_ caching: RemoteCaching) {
        self.caching = caching
    }
}

/// For how long a client believes what it knows.
package struct RemoteCaching: Hashable, Sendable {
    package var nameSeconds: Int64
    package var fileSeconds: Int64
    package var isCloseToOpen: Bool
    /// Whether the server is asked for the name that is opened.
    package var opensByName: Bool

    package init(seconds: Int64, isCloseToOpen: Bool, opensByName: Bool = false) {
        nameSeconds = seconds
        fileSeconds = seconds
        self.isCloseToOpen = isCloseToOpen
        self.opensByName = opensByName
    }

    /// The longest that the usual options of a mount come to.
    package static let nfs3 = RemoteCaching(seconds: 60, isCloseToOpen: true)
    package static let nfs4 = RemoteCaching(seconds: 60, isCloseToOpen: true, opensByName: true)
}

/// What one machine believes.
struct RemoteView: Hashable, Sendable {
    struct Name: Hashable, Sendable {
        /// Nil: there is nothing of the name.
        var inode: UInt64?
        var learnedNanoseconds: Int64
        /// Whether the directory has not changed since, so that asking for its attributes changes nothing.
        var isOfNow = false
    }

    struct File: Hashable, Sendable {
        var bytes: [UInt8]
        var status: FileStatus
        var learnedNanoseconds: Int64
    }

    struct Write: Hashable, Sendable {
        var offset: Int
        var bytes: [UInt8]
        var nanoseconds: Int64
    }

    var names: [String: Name] = [:]
    var files: [UInt64: File] = [:]
    /// What has been written and may not have reached the server, in order.
    var unsynced: [UInt64: [Write]] = [:]
}

extension WorldState {
    // MARK: Beliefs

    /// What a machine may go on believing of a name although it is not so any more.
    func outdatedName(_ name: String, on machine: Int) -> RemoteView.Name? {
        guard let remote, let name = remote.views[machine]?.names[name].map({ (name, $0) }),
            name.1.inode != files.inode(named: name.0, in: sceneDirectory),
            isFresh(name.1.learnedNanoseconds, seconds: remote.caching.nameSeconds)
        else { return nil }
        return name.1
    }

    /// What a machine may go on believing of a file.
    func outdatedFile(_ number: UInt64, on machine: Int) -> RemoteView.File? {
        guard let remote, let file = remote.views[machine]?.files[number],
            isFresh(file.learnedNanoseconds, seconds: remote.caching.fileSeconds)
        else { return nil }
        guard files.inodes[number] != nil else { return file }
        return file.bytes != files.inodes[number]?.bytes || file.status != files.status(of: number) ? file : nil
    }

    private func isFresh(_ learned: Int64, seconds: Int64) -> Bool {
        bootClockNanoseconds - learned <= seconds * 1_000_000_000
    }

    mutating func learn(_ name: String, leadsTo inode: UInt64?, on machine: Int) {
        remote?.views[machine, default: RemoteView()].names[name] =
            RemoteView.Name(inode: inode, learnedNanoseconds: bootClockNanoseconds)
    }

    mutating func learn(_ number: UInt64, on machine: Int) {
        guard let inode = files.inodes[number] else { return }
        remote?.views[machine, default: RemoteView()].files[number] = RemoteView.File(
            bytes: inode.bytes, status: files.status(of: number), learnedNanoseconds: bootClockNanoseconds)
    }

    mutating func forgetName(_ name: String, on machine: Int) {
        remote?.views[machine]?.names[name] = nil
    }

    /// The attributes of the directory have been asked for.
    mutating func forgetNames(on machine: Int) {
        let names = remote?.views[machine]?.names.filter { $0.value.isOfNow }
        remote?.views[machine]?.names = names ?? [:]
    }

    /// The machine has just made a change, and takes what follows from what it believed for true.
    mutating func mistake(_ name: String, for inode: UInt64, on machine: Int) {
        learn(name, leadsTo: inode, on: machine)
        remote?.views[machine]?.names[name]?.isOfNow = true
    }

    // MARK: Writing back

    func hasUnsynced(_ number: UInt64, besides machine: Int) -> Bool {
        remote?.views.contains { $0.key != machine && $0.value.unsynced[number] != nil } ?? false
    }

    mutating func keepUnsynced(_ bytes: [UInt8], _ number: UInt64, at offset: Int, on machine: Int) {
        let write = RemoteView.Write(offset: offset, bytes: bytes, nanoseconds: wallClockNanoseconds(on: machine))
        remote?.views[machine, default: RemoteView()].unsynced[number, default: []].append(write)
    }

    /// What a machine has written reaches the server.
    mutating func writeBack(_ number: UInt64, of machine: Int) {
        guard let writes = remote?.views[machine]?.unsynced.removeValue(forKey: number), files.inodes[number] != nil
        else { return }
        for write in writes {
            files.write(number, write.bytes, at: write.offset, now: wallClockNanoseconds(on: 0))
        }
        learn(number, on: machine)
    }

    mutating func writeBack(_ number: UInt64, besides machine: Int) {
        for other in (remote?.views.keys.sorted() ?? []) where other != machine { writeBack(number, of: other) }
    }

    /// A file as its machine shows it: with what it has written itself.
    func shown(_ file: RemoteView.File, _ number: UInt64, on machine: Int) -> RemoteView.File {
        var file = file
        for write in remote?.views[machine]?.unsynced[number] ?? [] {
            let end = write.offset + write.bytes.count
            if file.bytes.count < end { file.bytes += [UInt8](repeating: 0, count: end - file.bytes.count) }
            file.bytes.replaceSubrange(write.offset..<end, with: write.bytes)
            file.status.sizeBytes = Int64(file.bytes.count)
            file.status.modifiedNanoseconds = write.nanoseconds
        }
        return file
    }

    // MARK: Names

    /// Changes names, on a machine or, with nil, on the server itself.
    mutating func changeNames(
        by machine: Int? = nil, _ body: (inout SimulatedFileSystem, UInt64) throws(Errno) -> Void
    ) throws(Errno) {
        try body(&files, sceneDirectory)
        guard let remote else { return }
        expelRemoved(besides: machine)
        for (machine, view) in remote.views {
            for (name, belief) in view.names where belief.isOfNow { self.remote?.views[machine]?.names[name]?.isOfNow = false }
        }
    }

    /// Files that have lost their last name are gone for all machines but the one that removed them.
    private mutating func expelRemoved(besides machine: Int?) {
        for process in processes.indices where processes[process].machine != machine {
            for (number, open) in processes[process].descriptors.sorted(by: { $0.key < $1.key }) where !open.isStale {
                guard let inode = files.inodes[open.inode], inode.linkCount == 0, inode.hadName else { continue }
                processes[process].descriptors[number]?.isStale = true
                remote?.views[processes[process].machine]?.unsynced[open.inode] = nil
                noteStale(open)
            }
        }
    }
}
