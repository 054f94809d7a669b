import RVFHost
package import SystemPackage

/// What a file system does not do, and how it says so.
package struct Refusals: Hashable, Sendable {
    package var exclusiveRename: Errno?
    package var exchange: Errno?
    package var link: Errno?
    /// Making, removing and renaming anything: no permission, or a file system that is read only.
    package var entries: Errno?

    package init(
        exclusiveRename: Errno? = nil, exchange: Errno? = nil, link: Errno? = nil, entries: Errno? = nil
    ) {
        self.exclusiveRename = exclusiveRename
        self.exchange = exchange
        self.link = link
        self.entries = entries
    }
}

extension SimulatedHost {
    /// Owner and others; groups are not simulated.
    func requireAccess(
        to number: UInt64, _ mode: FileDescriptor.AccessMode, in state: WorldState
    ) throws(Errno) {
        guard userID != 0, let inode = state.files.inodes[number] else { return }
        let bits = inode.owner == userID ? inode.permissions >> 6 : inode.permissions
        let wanted: UInt32 = mode == .readOnly ? 4 : mode == .writeOnly ? 2 : 6
        if bits & wanted != wanted { throw .permissionDenied }
    }

    /// Whether names may be changed, and those that are there may be taken away from what bears them.
    func requireChange(of names: [FilePath] = [], in state: WorldState) throws(Errno) {
        if let error = state.files.refusals.entries { throw error }
        let directory = state.files.status(of: state.sceneDirectory)
        let stickyBit: UInt32 = 0o1000
        guard directory.permissions & stickyBit != 0, userID != 0, userID != directory.owner else { return }
        for name in names {
            let number = state.files.inode(named: name.string, in: state.sceneDirectory)
            if let number, state.files.inodes[number]?.owner != userID { throw .notPermitted }
        }
    }
}
