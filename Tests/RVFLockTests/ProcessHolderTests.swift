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
    /// What can befall a holder: death, deletion, standstill, clocks that jump.
    @Suite struct Holders {
        @Test("A killed holder's lock is taken over at once, and its record named")
        func killed() throws {
            let place = try Place()
            let holder = try place.holder()
            holder.killAndReap()
            #expect(place.record?.processID == holder.processID)
            let next = try place.session()
            #expect(try next.ask("acquire").hasPrefix("held"))
            #expect(place.record?.processID == next.processID)
            #expect(try next.ask("events") == "takenOver acquired.")
            #expect(try next.ask("release") == "ok")
        }

        /// The waiter is told never to look by itself again, so that only the file system can wake it.
        private func waiter(at place: borrowing Place) throws -> Probe {
            let waiter = try place.session(["wait=forever"])
            try waiter.ask("waking-only")
            waiter.send("acquire")
            _ = try waiter.awaitLine(startingWith: "asleep")
            return waiter
        }

        @Test("A waiter is woken by the file system when the holder releases")
        func wokenByRelease() throws {
            let place = try Place()
            let holder = try place.holder()
            let waiter = try waiter(at: place)
            #expect(try holder.ask("release") == "ok")
            #expect(try waiter.awaitLine(startingWith: "held").hasPrefix("held"))
            #expect(try waiter.ask("release") == "ok")
        }

        @Test("A waiter is woken by the file system when the holder is killed, however that published its record",
            arguments: [true, false])
        func wokenByDeath(tookOver: Bool) throws {
            let place = try Place()
            if tookOver { try place.holder().killAndReap() }
            let holder = try place.holder()
            let waiter = try waiter(at: place)
            holder.killAndReap()
            #expect(try waiter.awaitLine(startingWith: "held").hasPrefix("held"))
            #expect(try waiter.ask("release") == "ok")
        }

        @Test("Waiters are served one after the other as each holder is killed")
        func chainOfDeaths() throws {
            let place = try Place()
            var holders = [try place.holder()]
            let waiters = try (0..<6).map { _ in
                let waiter = try place.session(["wait=forever", "tell=waiting"])
                waiter.send("acquire")
                _ = try waiter.awaitLine(startingWith: "waiting")
                return waiter
            }
            var left = waiters
            while !left.isEmpty {
                holders.removeLast().killAndReap()
                // Whoever it is: its id stands in the record once it has the lock.
                var next: Int?
                for _ in 0..<2000 where next == nil {
                    next = left.firstIndex { $0.processID == place.record?.processID }
                    usleep(5000)
                }
                let index = try #require(next)
                let holder = left.remove(at: index)
                #expect(try holder.awaitLine(startingWith: "held").hasPrefix("held"))
                #expect(try holder.ask("validate") == "ok")
                holders.append(holder)
            }
        }

        @Test("Deleting the lock file under a live holder lets nobody else of ours in, and the holder learns of it once")
        func deleted() throws {
            let place = try Place()
            let holder = try place.holder()
            try FileManager.default.removeItem(atPath: place.path.string + ".lock")
            let second = try place.session()
            #expect(try second.ask("acquire").hasPrefix("refused protectedFileLocked"))
            #expect(try second.ask("status").contains("locked by process \(holder.processID), whose lock file"))
            #expect(place.record == nil)
            #expect(try holder.ask("validate").hasPrefix("lost missing"))
            #expect(try holder.ask("validate").hasPrefix("lost missing"))
            #expect(try holder.ask("renew").hasPrefix("lost missing"))
            #expect(try holder.ask("events") == "acquired lost.")
            #expect(try holder.ask("release").hasPrefix("lost missing"))
            #expect(try place.canBeTaken(by: second))
        }

        @Test("A thief's lock survives the release of the holder that it robbed")
        func thief() throws {
            let place = try Place()
            let holder = try place.holder()
            try FileManager.default.removeItem(atPath: place.path.string + ".lock")
            let thief = try Probe("naive", place.path)
            #expect(thief.readLine()?.hasPrefix("ready") == true)
            #expect(try thief.ask("acquire") == "held")
            #expect(try holder.ask("release").hasPrefix("lost replaced"))
            #expect(try thief.ask("check") == "ok")
            let second = try place.session()
            #expect(try second.ask("acquire").hasPrefix("refused held(RVFLock.HeldReason.processAlive)"))
            #expect(try thief.ask("release") == "ok")
            #expect(try place.canBeTaken(by: second))
        }

        @Test("A holder that stood still past the freeze limit goes on if nobody took its lock, however long it was",
            arguments: [40, 310])
        func frozenUnharmed(seconds: Int) throws {
            let place = try Place()
            let holder = try place.holder()
            let rival = try place.session()
            try holder.ask("boot \(seconds)")
            try holder.ask("wall \(seconds)")
            #expect(try rival.ask("acquire").hasPrefix("refused"))
            #expect(try holder.ask("validate") == "ok")
            #expect(try holder.ask("events") == "acquired renewed.")
            #expect(try holder.ask("release") == "ok")
        }

        @Test("A holder that stood still while a peer took its lock learns so before it commits")
        func frozenAndRobbed() throws {
            let place = try Place()
            let holder = try place.holder()
            // To the peer the record looks old, and its host is another.
            let old = SeenRecord.make(process: holder.processID, host: "elsewhere", ageSeconds: 310)
            let file = try FileDescriptor.open(FilePath(place.path.string + ".lock"), .writeOnly)
            try file.closeAfter { _ = try file.writeAll(old[0..<0x50]) }
            let thief = try Probe("naive", place.path)
            _ = thief.readLine()
            #expect(try thief.ask("acquire") == "held")
            try holder.ask("boot 310")
            #expect(try holder.ask("validate").hasPrefix("lost takenWhileFrozen"))
            #expect(try holder.ask("release").hasPrefix("lost takenWhileFrozen"))
            #expect(try thief.ask("check") == "ok")
        }

        @Test("A stopped holder keeps its lock: nobody gets in before it goes on and releases")
        func stopped() throws {
            let place = try Place()
            let holder = try place.holder()
            holder.kill(SIGSTOP)
            #expect(holder.awaitStop() == .stopped)
            let log = place.directory.file("rival.log")
            let rival = try Probe("contend", place.path, ["seconds=\(TestPowers.isLong ? 40 : 2)", "wait=10", "log=\(log)"])
            let peer = try Probe("naive", place.path)
            _ = peer.readLine()
            for _ in 0..<50 { #expect(try peer.ask("acquire") == "refused") }
            #expect(try rival.awaitLine(startingWith: "done").hasPrefix("done acquired=0"))
            holder.kill(SIGCONT)
            #expect(try holder.ask("validate") == "ok")
            #expect(try holder.ask("release") == "ok")
            #expect(try peer.ask("acquire") == "held")
        }

        @Test("A wall clock that jumps an hour either way, or to 1970, neither loses a lock nor lets anybody in",
            arguments: [3600, -3600, -2_000_000_000])
        func wallClock(seconds: Int) throws {
            let place = try Place()
            let holder = try place.holder()
            let rival = try place.session()
            for jumper in [holder, rival] {
                try jumper.ask("wall \(seconds)")
                #expect(try holder.ask("renew") == "ok")
                #expect(place.record?.isValid == true)
                #expect(try holder.ask("validate") == "ok")
                #expect(try rival.ask("acquire").hasPrefix("refused"))
                try jumper.ask("wall 0")
            }
            #expect(try holder.ask("release") == "ok")
            #expect(try place.canBeTaken(by: rival))
        }
    }
}
