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
    /// How processes end, what their children inherit, and tasks that wait inside one process.
    @Suite struct Lives {
        private func life(_ way: String, at place: borrowing Place, _ settings: [String] = []) throws -> Probe {
            let probe = try Probe("life", place.path, ["how=\(way)"] + settings)
            #expect(try probe.awaitLine(startingWith: "held").hasPrefix("held"))
            return probe
        }

        @Test("However a holder ends, the next has the lock at once",
            arguments: ["exit", "throw", "abort", "trap"])
        func endings(way: String) throws {
            let place = try Place()
            let probe = try life(way, at: place)
            let ending = probe.end()
            #expect(way == "exit" ? ending == .exited(0) : ending != .exited(0), "\(ending)")
            // An error that unwinds the stack drops the lock on its way, and that releases it.
            #expect(place.record?.processID == (way == "throw" ? nil : probe.processID))
            let next = try place.session()
            #expect(try place.canBeTaken(by: next))
        }

        @Test("A holder that a signal ends leaves a lock that the next has at once",
            arguments: [SIGTERM, SIGKILL, SIGINT, SIGHUP, SIGSEGV])
        func signals(signal: Int32) throws {
            let place = try Place()
            let probe = try life("wait", at: place)
            probe.kill(signal)
            #expect(probe.end() == .killed(signal))
            let next = try place.session()
            #expect(try place.canBeTaken(by: next))
        }

        @Test("A lock that is dropped without a release is released")
        func dropped() throws {
            let place = try Place()
            let probe = try life("deinit", at: place)
            _ = try probe.awaitLine(startingWith: "ended")
            #expect(place.record == nil)
            let next = try place.session()
            #expect(try place.canBeTaken(by: next))
        }

        @Test("Whatever a forked child does, the parent keeps its lock and no other gets in")
        func forkedChildren() throws {
            let place = try Place()
            let parent = try life("fork", at: place)
            let rival = try place.session()
            let before = place.record?.bytes
            while let line = parent.readLine() {
                switch line {
                case _ where line.hasPrefix("child validates"): #expect(line.contains("this is a forked process"))
                case _ where line.hasPrefix("child releases"): #expect(line == "child releases: ok")
                case _ where line.hasPrefix("child acquires"): #expect(line.contains("is locked by"))
                case _ where line.hasPrefix("parent after"):
                    #expect(line.hasSuffix(": ok"), "\(line)")
                    #expect(place.record?.bytes == before, "\(line)")
                    let answer = try rival.ask("acquire")
                    #expect(answer.hasPrefix("refused held(RVFLock.HeldReason.kernelLock)"), "\(line): \(answer)")
                    parent.send("next")
                case _ where line.hasPrefix("parent released"): #expect(line == "parent released: ok")
                default: #expect(line == "ended")
                }
                if line == "ended" { break }
            }
            #expect(try place.canBeTaken(by: rival))
        }

        @Test("A dead parent's child that keeps the descriptors keeps others out, who are told so, until it ends")
        func orphan() throws {
            let place = try Place()
            let parent = try life("orphan", at: place)
            _ = try parent.awaitLine(startingWith: "child")
            #expect(parent.end() == .killed(SIGKILL))
            let next = try place.session()
            let answer = try next.ask("acquire")
            #expect(answer.hasPrefix("refused held(RVFLock.HeldReason.kernelLock)"), "\(answer)")
            #expect(answer.contains("one that has inherited its open files"), "\(answer)")
            #expect(!answer.contains("it is alive"), "the recorded process is dead: \(answer)")
            try next.ask("set wait=forever")
            next.send("acquire")
            parent.send("end")
            #expect(try next.awaitLine(startingWith: "held").hasPrefix("held"))
            #expect(try next.ask("release") == "ok")
        }

        @Test("A spawned program inherits nothing of the lock")
        func spawned() throws {
            let place = try Place()
            // What this process's own parent left open passes through.
            let before = try #require(try Probe("descriptors", place.path).readLine())
            let probe = try life("spawn", at: place)
            #expect(try probe.awaitLine(startingWith: "descriptors") == before)
            #expect(try probe.awaitLine(startingWith: "child ended") == "child ended with 0")
        }

        @Test("Of many tasks that wait for the lock the cancelled leave nothing, and the others are served in turn")
        func tasks() throws {
            let place = try Place()
            let holder = try place.holder()
            let probe = try Probe("tasks", place.path, ["count=24", "cancel=9"])
            _ = try probe.awaitLine(startingWith: "ready")
            probe.send("go")
            _ = try probe.awaitLine(startingWith: "cancelled")
            #expect(try holder.ask("validate") == "ok")
            #expect(try holder.ask("release") == "ok")
            let line = try probe.awaitLine(startingWith: "done")
            #expect(line.hasPrefix("done served=15 cancelled=9 most=1 failed=[]"), "\(line)")
            #expect(place.record == nil)
            #expect(place.litter == [])
        }
    }
}
