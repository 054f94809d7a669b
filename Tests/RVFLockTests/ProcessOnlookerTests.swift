import RVFTestSupport
import SystemPackage
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension ProcessTests {
    /// What a process sees that only reads.
    @Suite struct Onlookers {
        @Test("A reader sees no lock file or a whole record with the right checksum, never anything else",
            arguments: [true, false])
        func reads(hasFile: Bool) throws {
            let place = try Place(hasFile: hasFile)
            let factor = TestPowers.isLong ? 10 : 1
            let writer = try Probe("churn", place.path, ["count=\(1_000 * factor)"])
            _ = try writer.awaitLine(startingWith: "ready")
            let reader = try Probe("onlook", place.path, ["reads=\(100_000 * factor)"])
            _ = try reader.awaitLine(startingWith: "enough")
            _ = try writer.awaitLine(startingWith: "enough")
            reader.closeInput()
            writer.closeInput()
            let seen = try reader.awaitLine(startingWith: "done")
            let done = try writer.awaitLine(startingWith: "done")
            #expect(figure("bad", in: seen) == 0, "\(seen)")
            #expect(figure("valid", in: seen) > 100, "\(seen)")
            #expect(figure("renewed", in: done) > 1_000 * factor, "\(done)")
        }

        private func figure(_ key: String, in line: String) -> Int {
            let word = line.split(separator: " ").first { $0.hasPrefix(key + "=") }
            return word.flatMap { Int($0.dropFirst(key.count + 1)) } ?? -1
        }

        @Test("A process that has stopped while it looks at the lock holds nobody up")
        func stoppedLook() throws {
            let place = try Place()
            let holder = try place.holder()
            let onlooker = try Probe("onlook", place.path, ["reads=1"])
            _ = try onlooker.awaitLine(startingWith: "enough")
            onlooker.kill(SIGSTOP)
            #expect(onlooker.awaitStop() == .stopped)
            #expect(try holder.ask("release") == "ok")
            let next = try place.session()
            #expect(try place.canBeTaken(by: next))
            onlooker.killAndReap()
        }
    }
}
