#if os(Linux)
    import SystemPackage
    import Glibc

    extension POSIXHost {
        public func lockingProcess(of file: FileIdentity) -> Int32? {
            // A machine with tens of thousands of locks stays readable; what is beyond is not looked at.
            guard let bytes = try? Self.contents(of: "/proc/locks", atMostBytes: 1 << 20) else { return nil }
            return KernelLockTable.lockingProcess(of: file, in: bytes)
        }

        public func processState(_ process: Int32) -> ProcessState {
            // 0 and negative ids mean groups to kill(2), never one process.
            guard process > 0 else { return .dead }
            if kill(process, 0) != 0, lastErrno() == .noSuchProcess { return .dead }
            // kill(2) also answers for zombies and for ids that only a thread has. Where /proc does not show the
            // process (hidepid, not mounted), what kill(2) said stands.
            guard let bytes = systemFile(FilePath("/proc/\(process)/status")) else { return .alive }
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
            for line in lines {
                if line.hasPrefix("State:"), line.dropFirst(6).drop(while: { $0 == "\t" || $0 == " " }).first == "Z" {
                    return .dead
                }
                if line.hasPrefix("Tgid:"), let group = Int32(String(line.dropFirst(5)).filter { $0.isNumber }), group != process {
                    return .dead
                }
            }
            return .alive
        }

        public func processDescription(_ process: Int32) -> ProcessDescription {
            guard process > 0 else { return ProcessDescription(command: nil, startedNanoseconds: nil) }
            let command = systemFile(FilePath("/proc/\(process)/cmdline")).flatMap(Self.commandLine)
            return ProcessDescription(command: command, startedNanoseconds: Self.startNanoseconds(of: process))
        }

        private static func commandLine(_ bytes: [UInt8]) -> String? {
            guard !bytes.isEmpty else { return nil }
            var arguments = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            guard let program = arguments.first else { return nil }
            arguments[0] = String(program.split(separator: "/").last ?? "")
            return arguments.joined(separator: " ")
        }

        /// Field 22 of /proc/PID/stat counts clock ticks since boot; the program's name in field 2 may hold spaces
        /// and parentheses, so fields are counted from the last one.
        private static func startNanoseconds(of process: Int32) -> Int64? {
            guard let bytes = try? contents(of: FilePath("/proc/\(process)/stat"), atMostBytes: 4096),
                let end = bytes.lastIndex(of: UInt8(ascii: ")"))
            else { return nil }
            let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
            // Field 3 is the first after the name.
            guard fields.count > 19, let ticks = Int64(String(decoding: fields[19], as: UTF8.self)) else { return nil }
            let ticksPerSecond = Int64(sysconf(Int32(_SC_CLK_TCK)))
            guard ticksPerSecond > 0 else { return nil }
            let sinceBoot = ticks * (1_000_000_000 / ticksPerSecond)
            return Self.clock(CLOCK_REALTIME) - Self.clock(CLOCK_BOOTTIME) + sinceBoot
        }
    }
#endif
