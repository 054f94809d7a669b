import Foundation
import RVFTestSupport
import SystemPackage
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension ProcessTests {
    /// What runs out or is forbidden ends in an error that says so, and leaves nothing behind.
    @Suite struct Limits {
        private func permit(_ mode: Int, _ path: FilePath) throws {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path.string)
        }

        private func mode(of path: FilePath) throws -> Int {
            let attributes = try FileManager.default.attributesOfItem(atPath: path.string)
            return (attributes[.posixPermissions] as? Int ?? 0) & 0o7777
        }

        /// Lowers the limit to each number of descriptors in turn, until the operation succeeds.
        private func starve(
            _ probe: Probe, _ place: borrowing Place, _ operation: String, until success: String
        ) throws -> Int {
            let open = Int(try probe.ask("fds")) ?? 0
            let litter = place.litter
            let record = place.record
            var failures = 0
            for limit in 3..<64 {
                try probe.ask("nofile \(limit)")
                let answer = try probe.ask(operation)
                if answer.hasPrefix(success) {
                    try probe.ask("nofile 1024")
                    return failures
                }
                failures += 1
                #expect(answer.hasPrefix("system ") && answer.contains(" \(EMFILE) |"), "limit \(limit): \(answer)")
                #expect(answer.contains("ulimit -n"), "limit \(limit): \(answer)")
                #expect(Int(try probe.ask("fds")) == open, "limit \(limit): a descriptor is kept")
                #expect(place.litter == litter, "limit \(limit)")
                #expect(place.record == record, "limit \(limit)")
            }
            Issue.record("\(operation) never succeeded")
            return 0
        }

        @Test("Without descriptors an acquisition fails with EMFILE, keeps none and leaves no file",
            arguments: [true, false])
        func acquireWithoutDescriptors(hasFile: Bool) throws {
            let place = try Place(hasFile: hasFile)
            let probe = try place.session()
            #expect(try starve(probe, place, "acquire", until: "held") >= 2)
            #expect(try probe.ask("validate") == "ok")
            #expect(try probe.ask("release") == "ok")
        }

        @Test("Without descriptors a take-over fails with EMFILE and leaves the dead record as it was")
        func takeOverWithoutDescriptors() throws {
            let place = try Place()
            try place.holder().killAndReap()
            let probe = try place.session()
            #expect(try starve(probe, place, "acquire", until: "held") >= 2)
            #expect(try probe.ask("release") == "ok")
        }

        @Test("A held lock is validated, renewed and released without a descriptor to spare")
        func holdWithoutDescriptors() throws {
            let place = try Place()
            let probe = try place.holder()
            try probe.ask("nofile 3")
            for operation in ["validate", "renew", "validate", "release"] {
                #expect(try probe.ask(operation) == "ok", "\(operation)")
            }
            #expect(place.record == nil)
            #expect(place.litter == [])
        }

        @Test("A waiter that runs out of descriptors says so rather than wait for ever")
        func waitWithoutDescriptors() throws {
            let place = try Place()
            let holder = try place.holder()
            let probe = try place.session()
            var limit = 3
            try probe.ask("nofile \(limit)")
            while try !probe.ask("acquire").hasPrefix("refused") {
                limit += 1
                try probe.ask("nofile \(limit)")
            }
            // Enough to wait with, too few to make the lock file with.
            try probe.ask("set wait=forever")
            try probe.ask("set tell=waiting")
            probe.send("acquire")
            _ = try probe.awaitLine(startingWith: "waiting")
            #expect(try holder.ask("release") == "ok")
            let answer = try probe.awaitLine(startingWith: "system")
            #expect(answer.contains(" \(EMFILE) |"), "\(answer)")
            #expect(place.record == nil)
        }

        @Test("On a full file system a lock is refused with ENOSPC at its writing, and nothing is left",
            .enabled(if: TestPowers.canMount, "\(TestPowers.mountAbsence)"))
        func fullDisk() throws {
            let outer = try TemporaryDirectory()
            let mount = try TemporaryMount(in: outer.path, options: "size=128k")
            let place = try Place(in: mount.path)
            let waiting = try place.holder()
            fill(mount.path.appending("ballast"))
            #expect(try waiting.ask("renew") == "ok")
            #expect(try waiting.ask("release") == "ok")
            fill(mount.path.appending("more"))
            let names = place.directory.names
            let answer = try waiting.ask("acquire")
            #expect(answer.hasPrefix("system writeLock \(ENOSPC)"), "\(answer)")
            #expect(place.directory.names == names)
            try FileManager.default.removeItem(atPath: mount.path.appending("ballast").string)
            #expect(try place.canBeTaken(by: waiting))
        }

        @Test("On a full file system a dead holder's lock is taken over all the same: it needs no space",
            .enabled(if: TestPowers.canMount, "\(TestPowers.mountAbsence)"))
        func takeOverOnFullDisk() throws {
            let outer = try TemporaryDirectory()
            let mount = try TemporaryMount(in: outer.path, options: "size=128k")
            let place = try Place(in: mount.path)
            try place.holder().killAndReap()
            fill(mount.path.appending("ballast"))
            let next = try place.session()
            #expect(try place.canBeTaken(by: next))
        }

        /// Writes until there is no room.
        private func fill(_ path: FilePath) {
            guard let file = try? FileDescriptor.open(
                path, .writeOnly, options: [.create, .append], permissions: .ownerReadWrite)
            else { return }
            _ = try? file.closeAfter {
                let page = [UInt8](repeating: 1, count: 4096)
                while true { _ = try file.writeAll(page) }
            }
        }

        @Test("Where no more files can be made a lock is refused with ENOSPC, and nothing is left",
            .enabled(if: TestPowers.canMount, "\(TestPowers.mountAbsence)"))
        func noInodes() throws {
            let outer = try TemporaryDirectory()
            let mount = try TemporaryMount(in: outer.path, options: "size=1m,nr_inodes=12")
            let place = try Place(in: mount.path)
            let probe = try place.session()
            var made = 0
            while FileManager.default.createFile(atPath: mount.path.appending("f\(made)").string, contents: nil) {
                made += 1
            }
            let answer = try probe.ask("acquire")
            #expect(answer.hasPrefix("system createLock \(ENOSPC)"), "\(answer)")
            #expect(place.directory.names == ["data.rvf"])
            try FileManager.default.removeItem(atPath: mount.path.appending("f0").string)
            try FileManager.default.removeItem(atPath: mount.path.appending("f1").string)
            #expect(try place.canBeTaken(by: probe))
        }

        @Test("On a read-only mount a lock is refused with EROFS, and looked at all the same",
            .enabled(if: TestPowers.canMount, "\(TestPowers.mountAbsence)"))
        func readOnlyMount() throws {
            let outer = try TemporaryDirectory()
            let mount = try TemporaryMount(in: outer.path, options: "size=1m")
            let place = try Place(in: mount.path)
            let absent = mount.path.appending("absent.rvf")
            try mount.remount("ro")
            let probe = try place.session()
            #expect(try probe.ask("acquire").hasPrefix("system openProtectedFile \(EROFS)"))
            #expect(try probe.ask("status").hasSuffix("is not locked."))
            let other = try Probe("session", absent)
            _ = other.readLine()
            let answer = try other.ask("acquire")
            #expect(answer.hasPrefix("system createLock \(EROFS)"), "\(answer)")
            try mount.remount("rw")
            #expect(try place.canBeTaken(by: probe))
        }

        @Test("In a directory that one may not write a lock is refused with EACCES, file or no file",
            .enabled(if: TestPowers.isRoot, "\(TestPowers.rootAbsence)"), arguments: [true, false])
        func readOnlyDirectory(hasFile: Bool) throws {
            let place = try Place(hasFile: hasFile)
            if hasFile { try permit(0o666, place.path) }
            try permit(0o755, place.directory.path)
            let probe = try place.session()
            try probe.ask("become 65534")
            let answer = try probe.ask("acquire")
            #expect(answer.hasPrefix("system createLock \(EACCES)"), "\(answer)")
            #expect(place.litter == [])
        }

        @Test("A stale lock that one may read but not write is exchanged for one's own, with the mode of the file",
            .enabled(if: TestPowers.isRoot, "\(TestPowers.rootAbsence)"))
        func unwritableLock() throws {
            let place = try Place()
            try permit(0o777, place.directory.path)
            try permit(0o660, place.path)
            unsafe _ = chown(place.path.string, 65534, 65534)
            let record = SeenRecord.make(process: 999_999_999, host: "elsewhere", ageSeconds: 301)
            let lock = try place.directory.write(record, to: "data.rvf.lock")
            try permit(0o644, lock)
            let probe = try place.session()
            try probe.ask("become 65534")
            #expect(try probe.ask("acquire").hasPrefix("held"))
            #expect(place.record?.processID == probe.processID)
            #expect(try mode(of: lock) == 0o660)
            #expect(place.litter == [])
            #expect(try probe.ask("release") == "ok")
        }

        @Test("In a sticky directory another user's lock is refused with EPERM, whether it can be written or not",
            .enabled(if: TestPowers.isRoot, "\(TestPowers.rootAbsence)"), arguments: [0o644, 0o666])
        func sticky(lockMode: Int) throws {
            let place = try Place()
            try permit(0o1777, place.directory.path)
            try permit(0o666, place.path)
            let record = SeenRecord.make(process: 999_999_999, host: "elsewhere", ageSeconds: 301)
            let lock = try place.directory.write(record, to: "data.rvf.lock")
            try permit(lockMode, lock)
            let probe = try place.session()
            try probe.ask("become 65534")
            let answer = try probe.ask("acquire")
            #expect(answer.hasPrefix("system takeOver \(EPERM)"), "\(answer)")
            #expect(place.record?.bytes == record)
            #expect(place.litter == [])
        }

        @Test("The lock's mode follows the protected file's, against the umask", arguments: [0o600, 0o640, 0o664, 0o666])
        func modeFollows(mode wanted: Int) throws {
            let place = try Place()
            try permit(wanted, place.path)
            let probe = try place.session()
            try probe.ask("umask 63")
            #expect(try probe.ask("acquire").hasPrefix("held"))
            #expect(try mode(of: FilePath(place.path.string + ".lock")) == wanted)
            #expect(try probe.ask("release") == "ok")
        }
    }
}
