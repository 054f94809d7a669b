import RVFHost
import Testing

@Suite struct KernelLockTableTests {
    private let table = Array(
        """
        1: POSIX  ADVISORY  WRITE 17 fe:00:131 0 EOF
        2: FLOCK  ADVISORY  WRITE 4711 fe:01:131 0 EOF
        2: -> FLOCK  ADVISORY  WRITE 99 fe:01:132 0 EOF
        3: FLOCK  ADVISORY  READ 5 08:02:77 0 EOF
        garbage

        """.utf8)

    @Test("An exclusive flock is found by device and inode")
    func findsWriter() {
        let file = FileIdentity(device: 0xFE01, inode: 131)
        #expect(KernelLockTable.lockingProcess(of: file, in: table) == 4711)
    }

    @Test("Locks of other kinds, other files and waiters are no proof")
    func ignoresOthers() {
        #expect(KernelLockTable.lockingProcess(of: FileIdentity(device: 0xFE00, inode: 131), in: table) == nil)
        #expect(KernelLockTable.lockingProcess(of: FileIdentity(device: 0xFE01, inode: 132), in: table) == nil)
        #expect(KernelLockTable.lockingProcess(of: FileIdentity(device: 0x0802, inode: 77), in: table) == nil)
        #expect(KernelLockTable.lockingProcess(of: FileIdentity(device: 0xFE01, inode: 131), in: []) == nil)
    }
}
