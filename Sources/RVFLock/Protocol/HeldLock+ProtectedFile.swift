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
    /// - Parameter permissions: The mode, subject to the umask.
    package func draftProtectedFile(
        permissions: FilePermissions = FilePermissions(rawValue: 0o666)
    ) throws(LockError) -> ProtectedFileDraft<H> {
        try validate()
        let isReplacement = hasProtectedFile
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
    private func targetSite() throws(LockError) -> LockSite<H> {
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
        try syncDirectory(of: target)
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

    private func syncDirectory(of target: LockSite<H>) throws(LockError) {
        try site.attempting(.createProtectedFile) { () throws(Errno) in
            let directory = try target.openDirectoryForReading()
            defer { host.close(directory) }
            try host.sync(directory)
        }
    }
}
