#if os(Linux)
    public import SystemPackage
    import Glibc
    import CRVFShims

    extension stat {
        var modificationTime: timespec { st_mtim }
    }

    extension POSIXHost {
        static func closeRaw(_ descriptor: Int32) -> Int32 { Glibc.close(descriptor) }
        static func readRaw(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
            unsafe Glibc.read(descriptor, buffer, count)
        }

        public func openDirectory(_ path: FilePath) throws(Errno) -> FileDescriptor {
            // O_PATH asks for no permission on the directory itself, only for the way to it.
            let flags = rvf_flag_path() | O_DIRECTORY | O_CLOEXEC
            return FileDescriptor(rawValue: try unsafe calling(path) { unsafe openat(AT_FDCWD, $0, flags) })
        }

        public func openUnnamed(
            in directory: FileDescriptor, permissions: FilePermissions
        ) throws(Errno) -> FileDescriptor {
            let flags = rvf_flag_tmpfile() | O_RDWR | O_CLOEXEC
            return FileDescriptor(
                rawValue: try retrying { unsafe openat(directory.rawValue, ".", flags, permissions.rawValue) })
        }

        public func linkUnnamed(
            _ descriptor: FileDescriptor, as name: FilePath, in directory: FileDescriptor
        ) throws(Errno) {
            _ = try unsafe calling(name) { unsafe rvf_link_unnamed(descriptor.rawValue, directory.rawValue, $0) }
        }

        public func sync(_ descriptor: FileDescriptor) throws(Errno) {
            _ = try retrying { fsync(descriptor.rawValue) }
        }

        public func syncData(_ descriptor: FileDescriptor) throws(Errno) {
            _ = try retrying { fdatasync(descriptor.rawValue) }
        }

        public func identity(
            of name: FilePath, in directory: FileDescriptor, followingLinks: Bool
        ) throws(Errno) -> FileIdentity {
            var (device, inode): (UInt64, UInt64) = (0, 0)
            let flags = followingLinks ? 0 : AT_SYMLINK_NOFOLLOW
            _ = try unsafe calling(name) { unsafe rvf_identity(directory.rawValue, $0, flags, &device, &inode) }
            return FileIdentity(device: device, inode: inode)
        }

        public func sizeBytes(of descriptor: FileDescriptor) throws(Errno) -> Int64 {
            // No call of this package depends on a descriptor's position.
            let size = lseek(descriptor.rawValue, 0, SEEK_END)
            if size < 0 { throw lastErrno() }
            return Int64(size)
        }

        public func copyMetadata(from source: FileDescriptor, to target: FileDescriptor) throws(Errno) {
            let old = try status(of: source)
            let new = try status(of: target)
            if old.group != new.group { try permitting { fchown(target.rawValue, .max, old.group) } }
            if old.owner != new.owner { try permitting { fchown(target.rawValue, old.owner, .max) } }
            _ = try retrying { rvf_copy_attributes(source.rawValue, target.rawValue) }
            // Last: a change of owner clears bits, and an access control list sets those of the group. Where the owner
            // could not be kept, the program of another user must not come to run as this one.
            let mask: UInt32 = try status(of: target).owner == old.owner ? 0o7777 : 0o1777
            try setPermissions(target, FilePermissions(rawValue: CInterop.Mode(old.permissions & mask)))
        }

        /// Makes a call whose refusal for want of rights is no failure.
        private func permitting(_ call: () -> Int32) throws(Errno) {
            do throws(Errno) {
                _ = try retrying(call)
            } catch {
                if error != .notPermitted, error != .permissionDenied, error != .invalidArgument { throw error }
            }
        }

        public func fileSystemType(of descriptor: FileDescriptor) throws(Errno) -> FileSystemType {
            var type: UInt64 = 0
            _ = try retrying { unsafe rvf_file_system_type(descriptor.rawValue, &type) }
            return FileSystemType(linuxType: type)
        }

        /// On Linux a byte-range lock of its own kind, which no `flock` meets. The offset is beyond any file here.
        private static let waiterMarkOffset: Int64 = 1 << 62

        public func markWaiter(on descriptor: FileDescriptor) {
            _ = rvf_mark_range(descriptor.rawValue, Self.waiterMarkOffset)
        }

        public func waiterIsMarked(on descriptor: FileDescriptor) -> Bool {
            rvf_range_is_marked(descriptor.rawValue, Self.waiterMarkOffset) == 1
        }

        public func bootClockNanoseconds() -> Int64 { Self.clock(CLOCK_BOOTTIME) }
    }

    extension FileSystemType {
        /// From the type word of `fstatfs`; the numbers are those of `linux/magic.h` and of the file systems' own
        /// sources (zfs, bcachefs).
        init(linuxType type: UInt64) {
            switch type {
            case 0xEF53: self.init(name: "ext4", guardMeaning: .coherent)
            case 0x5846_5342: self.init(name: "xfs", guardMeaning: .coherent)
            case 0x9123_683E: self.init(name: "btrfs", guardMeaning: .coherent)
            case 0x0102_1994: self.init(name: "tmpfs", guardMeaning: .coherent)
            case 0x2FC1_2FC1: self.init(name: "zfs", guardMeaning: .coherent)
            case 0xF2F5_2010: self.init(name: "f2fs", guardMeaning: .coherent)
            case 0xCA45_1A4E: self.init(name: "bcachefs", guardMeaning: .coherent)
            case 0x794C_7630: self.init(name: "overlayfs", guardMeaning: .layered)
            case 0x6969: self.init(name: "nfs", guardMeaning: .remote)
            case 0xFF53_4D42, 0xFE53_4D42, 0x517B: self.init(name: "smb", guardMeaning: .remote)
            case 0x6573_5546: self.init(name: "fuse", guardMeaning: .remote)
            case 0x0102_1997: self.init(name: "9p", guardMeaning: .remote)
            default: self.init(name: "type 0x" + String(type, radix: 16), guardMeaning: .remote)
            }
        }
    }
#endif
