#if os(Linux)
    public import SystemPackage
    import Glibc

    extension POSIXHost {
        public func watch(_ directory: FilePath, for events: WatchedEvents) throws(Errno) -> FileDescriptor {
            let descriptor = try retrying { inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)) }
            var mask = UInt32(IN_ONLYDIR)
            if events.contains(.endings) {
                mask |= UInt32(IN_CLOSE_WRITE | IN_MOVED_FROM | IN_DELETE)
            }
            if events.contains(.modifications) { mask |= UInt32(IN_MODIFY | IN_MOVED_TO | IN_CREATE) }
            do throws(Errno) {
                _ = try unsafe calling(directory) { unsafe inotify_add_watch(descriptor, $0, mask) }
            } catch {
                _ = Self.closeRaw(descriptor)
                throw error
            }
            return FileDescriptor(rawValue: descriptor)
        }

        public func unwatch(_ watch: FileDescriptor) { close(watch) }

        public func awaitChange(
            _ watch: FileDescriptor, of names: [FilePath], timeoutNanoseconds: Int64
        ) throws(Errno) -> Bool {
            let deadline = bootClockNanoseconds() &+ max(0, timeoutNanoseconds)
            while true {
                if try Self.drain(watch.rawValue, lookingFor: names) { return true }
                let left = deadline - bootClockNanoseconds()
                if left <= 0 { return false }
                var polled = pollfd(fd: watch.rawValue, events: Int16(POLLIN), revents: 0)
                // Rounded up, so that the loop never spins through a last fraction; an hour at most at once.
                let milliseconds = Int32(min(left / 1_000_000 + 1, 3_600_000))
                if unsafe poll(&polled, 1, milliseconds) < 0 {
                    let error = lastErrno()
                    if error != .interrupted { throw error }
                }
            }
        }

        /// Reads all events that wait; true if one of them concerns a name, or if some were lost.
        private static func drain(_ watch: Int32, lookingFor names: [FilePath]) throws(Errno) -> Bool {
            var buffer = [UInt8](repeating: 0, count: 16_384)
            var found = false
            while true {
                let count: Int
                do throws(Errno) {
                    count = try retrying {
                        unsafe buffer.withUnsafeMutableBytes { unsafe readRaw(watch, $0.baseAddress, $0.count) }
                    }
                } catch {
                    if error == .wouldBlock { return found }
                    throw error
                }
                if count == 0 { return found }
                found = events(in: buffer[..<count], concern: names) || found
            }
        }

        /// An event: i32 watch, u32 mask, u32 cookie, u32 length, then that many bytes of NUL-padded name.
        /// Source: inotify(7).
        static func events(in bytes: ArraySlice<UInt8>, concern names: [FilePath]) -> Bool {
            let headerBytes = 16
            var position = bytes.startIndex
            while position + headerBytes <= bytes.endIndex {
                let mask = word(bytes, position + 4)
                if mask & UInt32(IN_Q_OVERFLOW | IN_IGNORED) != 0 { return true }
                let nameStart = position + headerBytes
                let nameEnd = min(nameStart + Int(word(bytes, position + 12)), bytes.endIndex)
                let name = bytes[nameStart..<nameEnd].prefix { $0 != 0 }
                if names.contains(where: { unsafe $0.withPlatformString { unsafe same($0, name) } }) { return true }
                position = nameEnd
            }
            return false
        }

        private static func same(_ text: UnsafePointer<CChar>, _ name: ArraySlice<UInt8>) -> Bool {
            unsafe UnsafeRawBufferPointer(start: text, count: strlen(text)).elementsEqual(name)
        }

        private static func word(_ bytes: ArraySlice<UInt8>, _ position: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[position + $1]) << (8 * UInt32($1)) }
        }
    }
#endif
