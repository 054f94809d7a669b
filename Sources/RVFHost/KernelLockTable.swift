/// The text of Linux's `/proc/locks`. Pure, so that it is tested anywhere.
///
/// A line reads `1: FLOCK  ADVISORY  WRITE 4711 fe:00:131 0 EOF`, the device in hexadecimal, the inode in decimal; a
/// waiter's line has `->` behind the number. Source: proc_locks(5).
public enum KernelLockTable {
    /// The process that took an exclusive whole-file `flock` on the file; nil where no line says so.
    ///
    /// The process is the one that took the lock; it may have handed its descriptor to another since.
    public static func lockingProcess(of file: FileIdentity, in table: [UInt8]) -> Int32? {
        for line in table.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count == 8, fields[1].elementsEqual("FLOCK".utf8), fields[3].elementsEqual("WRITE".utf8),
                let process = Int32(String(decoding: fields[4], as: UTF8.self)),
                identity(fields[5]) == file
            else { continue }
            return process
        }
        return nil
    }

    private static func identity(_ field: ArraySlice<UInt8>) -> FileIdentity? {
        let parts = field.split(separator: UInt8(ascii: ":")).map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 3, let major = UInt64(parts[0], radix: 16), let minor = UInt64(parts[1], radix: 16),
            let inode = UInt64(parts[2])
        else { return nil }
        return FileIdentity(device: device(major: major, minor: minor), inode: inode)
    }

    /// The C library's `makedev`: the low 8 bits of the minor number, 12 of the major, then the rest of each.
    static func device(major: UInt64, minor: UInt64) -> UInt64 {
        (minor & 0xFF) | (major & 0xFFF) << 8 | (minor & ~0xFF) << 12 | (major & ~0xFFF) << 32
    }
}
