package import RVFHost
package import SystemPackage

/// A file on its way to become the protected file: complete before anybody can see it under that name.
///
/// Its descriptor is there to be written and synced; ``HeldLock/publish(_:)`` gives it the name. Dropped without
/// that, it is closed and removed.
package struct ProtectedFileDraft<H: Host>: ~Copyable {
    package let descriptor: FileDescriptor
    let site: LockSite<H>
    /// Nil for a file that has no name yet, and vanishes by itself.
    let privateName: FilePath?
    /// Where the final name lies, when that is not the lock's own directory (a symbolic link's target).
    let finalName: FilePath
    /// Whether there was a protected file when the draft was begun. One that another program makes meanwhile is not
    /// ours to replace.
    let isReplacement: Bool
    var ownsFile = true

    deinit {
        guard ownsFile else { return }
        if let privateName { try? site.host.unlink(privateName, in: site.directory) }
        site.host.close(descriptor)
    }
}

extension HeldLock {
    /// Whether there was a protected file when last looked.
    package var hasProtectedFile: Bool {
        (try? withState { (state) throws(LockError) in state.dataIdentity != nil }) ?? false
    }

    /// Begins a file that is to become the protected file, in its directory.
    ///
    /// - Parameters:
    ///   - permissions: The mode, subject to the umask.
    ///   - mayReplace: Whether it may take the place of a file that is there.
    package func draftProtectedFile(
        permissions: FilePermissions = FilePermissions(rawValue: 0o666), mayReplace: Bool = true
    ) throws(LockError) -> ProtectedFileDraft<H> {
        try validate()
        let isReplacement = mayReplace && hasProtectedFile
        if !isReplacement, let file = try? host.openUnnamed(in: site.directory, permissions: permissions) {
            return ProtectedFileDraft(
                descriptor: file, site: site, privateName: nil, finalName: site.dataName, isReplacement: false)
        }
        let target = isReplacement ? try targetSite() : site
        let name = target.makePrivateName()
        let operation: LockError.Operation = isReplacement ? .replaceProtectedFile : .createProtectedFile
        let file = try site.attempting(operation) { () throws(Errno) in
            try host.open(
                name, in: target.directory, .readWrite, options: [.create, .exclusiveCreate, .noFollow],
                permissions: permissions)
        }
        return ProtectedFileDraft(
            descriptor: file, site: target, privateName: name, finalName: target.dataName,
            isReplacement: isReplacement)
    }

    /// Where the protected file really lies: what a symbolic link leads to is what is replaced, not the link.
    package func targetSite() throws(LockError) -> LockSite<H> {
        let status = try site.statusIfPresent(of: site.dataName, followingLinks: false, .replaceProtectedFile)
        guard status?.kind == .symbolicLink else { return site }
        let target = try site.attempting(.replaceProtectedFile) { () throws(Errno) in
            try host.resolve(site.directoryPath.pushing(site.dataName))
        }
        return try LockSite(host: host, path: target)
    }

    /// Gives a complete file the protected file's name and guard, and makes the name durable.
    ///
    /// Where there was no protected file it is linked without replacing anything: if another program made one
    /// meanwhile that stays, and ``LockError/protectedFileExists(_:)`` is thrown. Where there was one it is
    /// replaced, readers of the old file keep it, and the old guard is kept until the new one is in place.
    package func publish(_ draft: consuming ProtectedFileDraft<H>) throws(LockError) {
        var draft = draft
        var isNamed = false
        defer { draft.ownsFile = !isNamed }
        let descriptor = draft.descriptor
        let target = draft.site
        let privateName = draft.privateName
        let finalName = draft.finalName
        let isReplacement = draft.isReplacement
        try locked { (state) throws(LockError) in
            _ = try inspect(&state)
            let identity = try guardDraft(descriptor)
            if state.dataIdentity == nil {
                try link(descriptor, privateName, finalName, target)
            } else {
                guard isReplacement, let privateName else { throw .protectedFileExists(site.path) }
                try replace(privateName, finalName, target, expecting: state.dataIdentity)
            }
            isNamed = true
            // Registered before the old file is closed, whose inode number may then be somebody's next file.
            _ = registry.extend(ticket, data: identity)
            setData(descriptor, &state)
            state.dataIdentity = identity
            // Until the file had its name and guard, the lock file alone stood for the exclusion.
            _ = try inspect(&state)
        }
        try target.syncDirectory(.createProtectedFile)
    }

    private func guardDraft(_ file: FileDescriptor) throws(LockError) -> FileIdentity {
        let meaning = try site.attempting(.createProtectedFile) { () throws(Errno) in
            try host.fileSystemType(of: file).guardMeaning
        }
        if meaning != .remote {
            let isLocked = try site.attempting(.lockKernel) { () throws(Errno) in try host.tryLock(file) }
            if !isLocked { throw .system(.lockKernel, site.path, .wouldBlock) }
        }
        return try site.attempting(.createProtectedFile) { () throws(Errno) in try host.status(of: file).identity }
    }

    private func link(
        _ file: FileDescriptor, _ privateName: FilePath?, _ finalName: FilePath, _ target: LockSite<H>
    ) throws(LockError) {
        do throws(Errno) {
            guard let privateName else {
                try host.linkUnnamed(file, as: finalName, in: target.directory)
                return
            }
            do throws(Errno) {
                try host.renameExclusively(privateName, to: finalName, in: target.directory)
            } catch {
                if error == .fileExists { throw error }
                try host.link(privateName, as: finalName, in: target.directory)
                try host.unlink(privateName, in: target.directory)
            }
        } catch {
            if error == .fileExists { throw .protectedFileExists(site.path) }
            throw .system(.createProtectedFile, site.path, error)
        }
    }

    private func replace(
        _ privateName: FilePath, _ finalName: FilePath, _ target: LockSite<H>, expecting expected: FileIdentity?
    ) throws(LockError) {
        let old = try target.statusIfPresent(of: finalName, followingLinks: false, .replaceProtectedFile)
        // A link's target is found by a path, which leads elsewhere after a `chdir` if it is relative.
        guard old?.identity == expected else {
            throw .system(.replaceProtectedFile, site.path, .noSuchFileOrDirectory)
        }
        if let old, old.linkCount > 1 { throw .hardLinked(site.path) }
        try site.attempting(.replaceProtectedFile) { () throws(Errno) in
            try host.rename(privateName, to: finalName, in: target.directory)
        }
    }

    /// Gives the protected file another name in its directory, where nothing has that name, and its guard up: from then
    /// on there is no protected file, and another one can be made. To be followed by ``syncDirectory()``.
    ///
    /// - Parameter expected: The file that is meant.
    /// - Throws: EEXIST where the name is taken. The file has its old name then, unless another program has just
    ///   replaced it and it could not be given back.
    package func moveProtectedFile(
        to name: FilePath, expecting expected: FileIdentity
    ) throws(LockError) {
        try locked { (state) throws(LockError) in
            _ = try inspect(&state)
            // What is moved is what has the name, which may be a link.
            let named = try site.statusIfPresent(of: site.dataName, followingLinks: false, .replaceProtectedFile)
            if named?.kind == .symbolicLink { throw .notAFile(site.path, .symbolicLink) }
            guard named?.identity == expected, state.dataIdentity == expected else {
                throw .protectedFileExists(site.path)
            }
            try site.attempting(.replaceProtectedFile) { () throws(Errno) in
                try host.renameExclusively(site.dataName, to: name, in: site.directory)
            }
            // Somebody who asked for no lock may have been faster.
            let moved = try? host.status(of: name, in: site.directory, followingLinks: false).identity
            guard moved == expected else {
                try site.attempting(.replaceProtectedFile) { () throws(Errno) in
                    try host.renameExclusively(name, to: site.dataName, in: site.directory)
                }
                throw .protectedFileExists(site.path)
            }
            state.dataIdentity = nil
            // Before it is closed: whoever locks it by its new name is no second holder of this lock.
            registry.forgetProtectedFile(of: ticket)
            setData(nil, &state)
        }
    }

    /// Takes a ``moveProtectedFile(to:expecting:)`` back, and guards the file again.
    package func restoreProtectedFile(from name: FilePath) throws(LockError) {
        try locked { (state) throws(LockError) in
            try site.attempting(.replaceProtectedFile) { () throws(Errno) in
                try host.renameExclusively(name, to: site.dataName, in: site.directory)
            }
            _ = try inspect(&state)
        }
    }

    /// Makes the names in the protected file's directory durable.
    package func syncDirectory() throws(LockError) {
        try site.syncDirectory(.createProtectedFile)
    }
}
