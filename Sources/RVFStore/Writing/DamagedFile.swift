import RVFHost
import RVFLock
import SystemPackage

/// A file that has a store's name and cannot be read as one, on its way to another name beside it.
///
/// It is moved by one rename that replaces nothing, and that is durable before the new store takes the name: at no
/// moment is it without a name, and a crash leaves it under the old one or under the new.
struct DamagedFile<H: Host> {
    private let file: OpenFile<H>
    private let location: StoreLocation<H>

    /// More than anybody keeps. Beyond, something is wrong that one more file would not mend.
    private static var mostNames: Int { 1000 }

    init(_ file: OpenFile<H>, _ location: StoreLocation<H>) {
        self.file = file
        self.location = location
    }

    /// Moves the file to the first free name.
    ///
    /// - Returns: where it is now.
    func moveAside(_ lock: HeldLock<H>) throws(StoreError) -> FilePath {
        let identity = try file.status().identity
        for number in 1...Self.mostNames {
            let name = LockSite<H>.appending(".damaged-\(number)", to: lock.site.dataName)
            let path = location.path.removingLastComponent().pushing(name)
            do throws(LockError) {
                try lock.moveProtectedFile(to: name, expecting: identity)
            } catch {
                // What failed may be the way back.
                let there = try? lock.site.statusIfPresent(of: name, followingLinks: false, .replaceProtectedFile)
                if there?.identity == identity {
                    throw StoreError.notCreated(location.path, movedTo: path, error)
                }
                if case .system(_, _, .fileExists) = error { continue }
                throw refusal(error)
            }
            try restoreIfReadable(from: name, path, lock)
            do throws(LockError) {
                try lock.syncDirectory()
            } catch {
                throw StoreError.notCreated(location.path, movedTo: path, error)
            }
            return path
        }
        throw StoreError.system(.moveAside, location.path, .fileExists)
    }

    /// A program that knows no lock may have completed it in the meantime: what can be read keeps its name.
    private func restoreIfReadable(
        from name: FilePath, _ path: FilePath, _ lock: HeldLock<H>
    ) throws(StoreError) {
        let found = ExistingFile(in: file)
        if found.isReplaceable { return }
        do throws(LockError) {
            try lock.restoreProtectedFile(from: name)
            try lock.syncDirectory()
        } catch {
            throw StoreError.notCreated(location.path, movedTo: path, error)
        }
        throw StoreError.exists(location.path, found)
    }

    private func refusal(_ error: LockError) -> StoreError {
        switch error {
        case .protectedFileExists: .exists(location.path, ExistingFile(at: location))
        case .system(.replaceProtectedFile, _, let errno): .system(.moveAside, location.path, errno)
        default: .lock(error)
        }
    }
}
