import RVFHost
public import SystemPackage

extension WriterLock {
    /// A file on its way to become the protected file: write it, sync it, then
    /// ``WriterLock/publish(_:)``. Dropped without that it vanishes.
    public struct Draft: ~Copyable {
        var draft: ProtectedFileDraft<POSIXHost>
        /// Open for reading and writing. Owned by the draft: do not close it.
        public var descriptor: FileDescriptor { draft.descriptor }
    }

    /// Whether there was a protected file when the lock last looked.
    public var hasProtectedFile: Bool { held.hasProtectedFile }

    /// Begins a file that is to become the protected file: a new one where there is none yet, or its replacement
    /// (a compacted copy). Nobody sees it until it is published, and a crash leaves no half of it.
    ///
    /// Until there is a protected file the exclusion among users of this library rests on the lock file alone, so
    /// create the file this way rather than under its name.
    public func draftProtectedFile(
        permissions: FilePermissions = FilePermissions(rawValue: 0o666)
    ) throws(LockError) -> Draft {
        Draft(draft: try held.draftProtectedFile(permissions: permissions))
    }

    /// Gives a complete draft the protected file's name, guards it and makes the name durable. Sync the draft's
    /// descriptor first.
    ///
    /// - Throws: ``LockError/protectedFileExists(_:)`` if there was none and another program made one meanwhile;
    ///   ``LockError/hardLinked(_:)`` if the file to replace has other names, which would keep the old content.
    public func publish(_ draft: consuming Draft) throws(LockError) {
        try held.publish(draft.draft)
    }
}
