// Written against the macOS 15 SDK's documented interfaces; neither compiled nor run on such a machine yet.
#if canImport(Darwin)
    public import SystemPackage
    import Darwin
    import CRVFShims
    import Synchronization

    /// The directory that each kernel queue looks at: closing the queue does not close it.
    private let watchedDirectories = Mutex<[Int32: Int32]>([:])

    extension stat {
        var modificationTime: timespec { st_mtimespec }
    }

    extension POSIXHost {
        static func closeRaw(_ descriptor: Int32) -> Int32 { Darwin.close(descriptor) }
        static func readRaw(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
            unsafe Darwin.read(descriptor, buffer, count)
        }

        public func openDirectory(_ path: FilePath) throws(Errno) -> FileDescriptor {
            // O_SEARCH asks for the right to pass through, not to list.
            FileDescriptor(rawValue: try unsafe calling(path) { unsafe openat(AT_FDCWD, $0, O_SEARCH | O_CLOEXEC) })
        }

        public func openUnnamed(
            in directory: FileDescriptor, permissions: FilePermissions
        ) throws(Errno) -> FileDescriptor {
            throw .notSupported
        }

        public func linkUnnamed(
            _ descriptor: FileDescriptor, as name: FilePath, in directory: FileDescriptor
        ) throws(Errno) {
            throw .notSupported
        }

        public func sync(_ descriptor: FileDescriptor) throws(Errno) {
            // Some file systems do not know F_FULLFSYNC; fsync is then the most there is.
            if fcntl(descriptor.rawValue, F_FULLFSYNC) == 0 { return }
            _ = try retrying { fsync(descriptor.rawValue) }
        }

        public func syncData(_ descriptor: FileDescriptor) throws(Errno) { try sync(descriptor) }

        public func copyMetadata(from source: FileDescriptor, to target: FileDescriptor) throws(Errno) {
            // Owner, mode, times, extended attributes and the access control list; it passes over an owner that may
            // not be set.
            let flags = copyfile_flags_t(COPYFILE_METADATA)
            _ = try retrying { unsafe fcopyfile(source.rawValue, target.rawValue, nil, flags) }
        }

        public func fileSystemType(of descriptor: FileDescriptor) throws(Errno) -> FileSystemType {
            var name = [CChar](repeating: 0, count: 16)
            _ = try retrying { unsafe rvf_file_system_name(descriptor.rawValue, &name) }
            let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let coherent = text == "apfs" || text == "hfs"
            return FileSystemType(name: text, guardMeaning: coherent ? .coherent : .remote)
        }

        public func lockingProcess(of file: FileIdentity) -> Int32? { nil }

        // Byte-range locks and flock share one list here, so a mark would be taken for a lock.
        public func markWaiter(on descriptor: FileDescriptor) {}
        public func waiterIsMarked(on descriptor: FileDescriptor) -> Bool { false }

        /// On macOS this clock counts while the machine sleeps.
        public func bootClockNanoseconds() -> Int64 { Self.clock(CLOCK_MONOTONIC) }

        public func processState(_ process: Int32) -> ProcessState {
            guard process > 0 else { return .dead }
            if kill(process, 0) != 0, lastErrno() == .noSuchProcess { return .dead }
            var zombie: Int32 = 0
            var started: Int64 = 0
            switch unsafe rvf_process_state(process, &zombie, &started) {
            case 0: return .dead
            case 1: return zombie != 0 ? .dead : .alive
            default: return .alive
            }
        }

        public func processDescription(_ process: Int32) -> ProcessDescription {
            var zombie: Int32 = 0
            var started: Int64 = 0
            let known = unsafe rvf_process_state(process, &zombie, &started) == 1
            // The size of PROC_PIDPATHINFO_MAXSIZE.
            var path = [CChar](repeating: 0, count: 4096)
            let length = unsafe rvf_process_path(process, &path, UInt32(path.count))
            let text = String(decoding: path.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let command = length > 0 ? text.split(separator: "/").last.map(String.init) : nil
            return ProcessDescription(command: command, startedNanoseconds: known ? started : nil)
        }

        // MARK: Waiting

        /// A kernel queue on the directory: it tells that an entry changed, not which, and nothing of file contents;
        /// the callers look for themselves, and poll for modifications.
        public func watch(_ directory: FilePath, for events: WatchedEvents) throws(Errno) -> FileDescriptor {
            guard !events.contains(.modifications) else { throw .notSupported }
            let target = try unsafe calling(directory) { unsafe openat(AT_FDCWD, $0, O_EVTONLY | O_CLOEXEC) }
            let queue = try retrying { kqueue() }
            var change = unsafe kevent(
                ident: UInt(target), filter: Int16(EVFILT_VNODE), flags: UInt16(EV_ADD | EV_CLEAR),
                fflags: UInt32(NOTE_WRITE | NOTE_LINK | NOTE_RENAME | NOTE_DELETE), data: 0, udata: nil)
            _ = try retrying { unsafe kevent(queue, &change, 1, nil, 0, nil) }
            watchedDirectories.withLock { $0[queue] = target }
            return FileDescriptor(rawValue: queue)
        }

        public func unwatch(_ watch: FileDescriptor) {
            let target = watchedDirectories.withLock { $0.removeValue(forKey: watch.rawValue) }
            if let target { _ = Self.closeRaw(target) }
            close(watch)
        }

        public func awaitChange(
            _ watch: FileDescriptor, of names: [FilePath], timeoutNanoseconds: Int64
        ) throws(Errno) -> Bool {
            let left = max(0, timeoutNanoseconds)
            var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
            var event = unsafe kevent()
            let count = unsafe kevent(watch.rawValue, nil, 0, &event, 1, &time)
            if count < 0 {
                let error = lastErrno()
                if error != .interrupted { throw error }
            }
            return count > 0
        }
    }
#endif
