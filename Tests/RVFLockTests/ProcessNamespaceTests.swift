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
    /// Containers: process ids that begin anew under the same host name, hidden /proc, layered file systems.
    @Suite struct Namespaces {
        private static let container = ["unshare", "-p", "-f", "--mount-proc", "--kill-child"]

        /// A process that finds an empty directory where /proc was. It is hidden only once the process runs: its
        /// arguments came from there.
        private func sessionWithoutProc(at place: borrowing Place) throws -> Probe {
            let probe = try place.session(through: ["unshare", "-m"])
            let hiding = ["nsenter", "-m", "-t", "\(probe.processID)", "mount", "-t", "tmpfs", "none", "/proc"]
            try #require(TestPowers.succeeds(hiding))
            return probe
        }

        private var hostName: String {
            var buffer = [UInt8](repeating: 0, count: 256)
            unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe _ = gethostname(bytes.baseAddress!.assumingMemoryBound(to: CChar.self), 255)
            }
            return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
        }

        @Test("A holder with process id 1 in a container is not robbed from outside, nor one outside from within",
            .enabled(if: TestPowers.canMakeProcessNamespaces, "\(TestPowers.namespaceAbsence)"))
        func twoNamespaces() throws {
            let place = try Place()
            let inside = try place.session(through: Self.container)
            let outside = try place.session()
            for (holder, rival) in [(inside, outside), (outside, inside)] {
                #expect(try holder.ask("acquire").hasPrefix("held"))
                if holder === inside { #expect(place.record?.processID == 1) }
                let answer = try rival.ask("acquire")
                #expect(answer.hasPrefix("refused held(RVFLock.HeldReason.kernelLock)"), "\(answer)")
                // However the clocks stand.
                try rival.ask("wall 4000")
                #expect(try rival.ask("acquire").hasPrefix("refused"))
                try rival.ask("wall 0")
                #expect(try holder.ask("validate") == "ok")
                #expect(try holder.ask("release") == "ok")
            }
        }

        @Test("Two containers, process id 1 in each, take turns and never hold together",
            .enabled(if: TestPowers.canMakeProcessNamespaces, "\(TestPowers.namespaceAbsence)"))
        func twoContainers() throws {
            let place = try Place()
            let logs = (0..<2).map { place.directory.file("\($0).log") }
            let probes = try logs.map {
                try Probe("contend", place.path, ["seconds=2", "wait=forever", "log=\($0)"], through: Self.container)
            }
            for probe in probes {
                let line = try probe.awaitLine(startingWith: "done")
                #expect(line.contains("robbed=0") && !line.contains("acquired=0"), "\(line)")
            }
            var referee = ProbeReferee()
            for log in logs { try referee.add(log) }
            #expect(referee.overlaps == [])
        }

        @Test("A container that starts again takes its dead predecessor's lock over at once, with the same id and name",
            .enabled(if: TestPowers.canMakeProcessNamespaces, "\(TestPowers.namespaceAbsence)"))
        func restartedContainer() throws {
            let place = try Place()
            let first = try place.session(through: Self.container)
            #expect(try first.ask("acquire").hasPrefix("held"))
            first.killAndReap()
            // The one inside ends a moment after the one that started it.
            while first.readLine() != nil {}
            #expect(place.record?.processID == 1)
            let second = try place.session(through: Self.container)
            #expect(try second.ask("acquire").hasPrefix("held"))
            #expect(try second.ask("events") == "takenOver acquired.")
            #expect(try second.ask("release") == "ok")
        }

        @Test("A peer's record with one's own process id counts as another host's",
            .enabled(if: TestPowers.canMakeProcessNamespaces, "\(TestPowers.namespaceAbsence)"))
        func ownProcessID() throws {
            let place = try Place()
            let probe = try place.session(through: Self.container)
            for (age, isTaken) in [(60.0, false), (290.0, false), (301.0, true)] {
                let record = SeenRecord.make(process: 1, host: hostName, ageSeconds: age)
                try place.directory.write(record, to: "data.rvf.lock")
                let answer = try probe.ask("acquire")
                #expect(answer.hasPrefix(isTaken ? "held " : "refused held"), "\(age) s: \(answer)")
            }
            #expect(try probe.ask("release") == "ok")
        }

        @Test("Without /proc a lock is taken, taken over and released all the same, by root or not",
            .enabled(if: TestPowers.canMount, "\(TestPowers.mountAbsence)"), arguments: [0, 65534])
        func withoutProc(user: Int) throws {
            for hasFile in [true, false] {
                let place = try Place(hasFile: hasFile)
                let open: [FileAttributeKey: Any] = [.posixPermissions: 0o777]
                try FileManager.default.setAttributes(open, ofItemAtPath: place.directory.path.string)
                let shared: [FileAttributeKey: Any] = [.posixPermissions: 0o666]
                if hasFile { try FileManager.default.setAttributes(shared, ofItemAtPath: place.path.string) }
                let first = try sessionWithoutProc(at: place)
                try first.ask("become \(user)")
                #expect(try first.ask("acquire").hasPrefix("held"))
                #expect(place.record?.isValid == true)
                #expect(try first.ask("renew") == "ok")
                let second = try sessionWithoutProc(at: place)
                try second.ask("become \(user)")
                #expect(try second.ask("acquire").hasPrefix("refused"))
                first.killAndReap()
                #expect(try second.ask("acquire").hasPrefix("held"))
                #expect(try second.ask("validate") == "ok")
                #expect(try second.ask("release") == "ok")
                #expect(place.litter == [])
            }
        }

        @Test("On an overlay the record declares no guard, and two processes exclude each other, a lower file included",
            .enabled(if: TestPowers.canMountOverlay, "\(TestPowers.mountAbsence), of an overlay"))
        func overlay() throws {
            let outer = try TemporaryDirectory()
            let mount = try OverlayMount(in: outer.path)
            let lower = mount.lower.appending("data.rvf").string
            try Data("vectors".utf8).write(to: URL(fileURLWithPath: lower))
            let path = mount.path.appending("data.rvf")
            let sessions = try (0..<2).map { _ in try Probe("session", path) }
            for session in sessions { _ = session.readLine() }
            #expect(try sessions[0].ask("acquire").hasPrefix("held"))
            #expect(SeenRecord(of: path)?.guardByte == 0)
            #expect(SeenRecord(of: path)?.isValid == true)
            #expect(try sessions[1].ask("acquire").hasPrefix("refused"))
            try FileManager.default.removeItem(atPath: path.string + ".lock")
            #expect(try sessions[1].ask("acquire").hasPrefix("refused protectedFileLocked"))
            #expect(try sessions[0].ask("validate").hasPrefix("lost missing"))
            try sessions[0].ask("release")
            #expect(try sessions[1].ask("acquire").hasPrefix("held"))
            // A dead holder's record without a guard is judged by the naive rules.
            sessions[1].killAndReap()
            #expect(try sessions[0].ask("acquire").hasPrefix("refused held(RVFLock.HeldReason.recentlyDead)"))
            try sessions[0].ask("wall 31")
            #expect(try sessions[0].ask("acquire").hasPrefix("held"))
        }

        @Test("Processes on an overlay never hold together",
            .enabled(if: TestPowers.canMountOverlay, "\(TestPowers.mountAbsence), of an overlay"))
        func overlayContention() throws {
            let outer = try TemporaryDirectory()
            let mount = try OverlayMount(in: outer.path)
            try Data().write(to: URL(fileURLWithPath: mount.lower.appending("data.rvf").string))
            let path = mount.path.appending("data.rvf")
            var referee = ProbeReferee()
            let logs = (0..<4).map { outer.file("\($0).log") }
            let probes = try logs.map { try Probe("contend", path, ["seconds=2", "wait=forever", "log=\($0)"]) }
            for probe in probes {
                let line = try probe.awaitLine(startingWith: "done")
                #expect(line.contains("robbed=0") && !line.contains("acquired=0"), "\(line)")
            }
            for log in logs { try referee.add(log) }
            #expect(referee.overlaps == [])
        }
    }
}
