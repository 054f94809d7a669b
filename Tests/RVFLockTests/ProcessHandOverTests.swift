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
    /// Hand-overs between real processes, with a third that hammers at the lock all the while.
    @Suite struct HandOvers {
        private func socketPath(_ place: borrowing Place) -> FilePath {
            // Short, whatever the temporary directory is called: a socket's path has little room.
            FilePath("/tmp/rvf-\(place.directory.path.string.suffix(12)).sock")
        }

        /// A process that tries for the lock without waiting, again and again, and logs when it had it.
        private func hammer(at place: borrowing Place) throws -> Probe {
            let log = place.directory.file("hammer.log")
            return try Probe("contend", place.path, ["seconds=600", "wait=none", "hold=0", "stops=1", "log=\(log)"])
        }

        private func turns(of hammer: Probe) throws -> String {
            hammer.send("stop")
            let line = try hammer.awaitLine(startingWith: "done")
            return String(line.split(separator: " ")[1])
        }

        @Test("A lock goes to an unrelated process and on to a third, and nobody else ever gets in",
            arguments: [true, false])
        func relay(hasFile: Bool) throws {
            let place = try Place(hasFile: hasFile)
            let runners = [try place.holder(), try place.session(), try place.session(), try place.session()]
            let rival = try hammer(at: place)
            for (giver, taker) in zip(runners, runners.dropFirst()) {
                giver.send("handover \(socketPath(place))")
                _ = try giver.awaitLine(startingWith: "listening")
                #expect(try taker.ask("adopt \(socketPath(place))").hasPrefix("adopted"))
                #expect(giver.readLine() == "handed-over")
                #expect(place.record?.isValid == true)
                #expect(place.record?.processID == taker.processID)
                for operation in ["validate", "renew"] { #expect(try taker.ask(operation) == "ok") }
                #expect(try giver.ask("validate").hasPrefix("handed-over"))
                #expect(try giver.ask("release").hasPrefix("ok"))
                // The death of one that has handed over changes nothing.
                giver.killAndReap()
                #expect(try taker.ask("validate") == "ok")
            }
            #expect(try turns(of: rival) == "acquired=0")
            #expect(try runners[3].ask("release") == "ok")
            let next = try place.session()
            #expect(try place.canBeTaken(by: next))
            #expect(place.litter == [])
        }

        @Test("A lock goes to a child over a socket pair whose end it inherited, and outlives the parent")
        func child() throws {
            let place = try Place()
            let parent = try Probe("life", place.path, ["how=child"])
            _ = try parent.awaitLine(startingWith: "held")
            let rival = try hammer(at: place)
            _ = try parent.awaitLine(startingWith: "adopted")
            // Both write to one pipe. From here on the child reads it: the parent only waits for it to end.
            #expect(place.record?.isValid == true)
            #expect(place.record?.processID != parent.processID)
            parent.send("validate")
            _ = try parent.awaitLine(startingWith: "ok")
            #expect(try turns(of: rival) == "acquired=0")
            parent.killAndReap()
            let next = try place.session()
            #expect(try next.ask("acquire").hasPrefix("refused"))
            try next.ask("set wait=forever")
            next.send("acquire")
            parent.closeInput()
            #expect(try next.awaitLine(startingWith: "held").hasPrefix("held"))
        }

        @Test("A successor for another path is refused, and the predecessor holds on")
        func otherPath() throws {
            let place = try Place()
            let elsewhere = try Place()
            let giver = try place.holder()
            let taker = try elsewhere.session()
            giver.send("handover \(socketPath(place))")
            _ = try giver.awaitLine(startingWith: "listening")
            let answer = try taker.ask("adopt \(socketPath(place))")
            #expect(answer.contains("is not that of this path"), "\(answer)")
            #expect(try #require(giver.readLine()).hasPrefix("kept the successor refused"))
            #expect(try giver.ask("validate") == "ok")
            #expect(place.record?.processID == giver.processID)
            #expect(elsewhere.record == nil)
            #expect(try giver.ask("release") == "ok")
            let next = try place.session()
            #expect(try place.canBeTaken(by: next))
        }

        @Test("When the protected file is replaced during a hand-over, neither side goes on")
        func replacedMeanwhile() throws {
            let place = try Place()
            let giver = try place.holder()
            let taker = try place.session()
            giver.send("handover \(socketPath(place))")
            _ = try giver.awaitLine(startingWith: "listening")
            // Somebody puts another file at the protected file's name between the two steps.
            try FileManager.default.removeItem(atPath: place.path.string)
            try place.directory.write([1], to: "data.rvf")
            _ = try taker.ask("adopt \(socketPath(place))")
            let line = try #require(giver.readLine())
            #expect(line.hasPrefix("lost protectedFileReplaced"), "\(line)")
            #expect(try giver.ask("release").hasPrefix("lost protectedFileReplaced"))
            let next = try place.session()
            #expect(try place.canBeTaken(by: next))
        }

        /// What must be true after one side was killed: exactly one holds, or nobody and the next gets it.
        private func settle(
            _ place: borrowing Place, survivor: Probe, answer: String?, holds: [String], point: String
        ) throws {
            let text = try #require(answer, "\(point)")
            let rival = try place.session()
            if holds.contains(where: { text.hasPrefix($0) }) {
                #expect(try survivor.ask("validate") == "ok", "\(point): \(text)")
                #expect(place.record?.processID == survivor.processID, "\(point): \(text)")
                #expect(try rival.ask("acquire").hasPrefix("refused"), "\(point): \(text)")
                #expect(try survivor.ask("release") == "ok", "\(point): \(text)")
            }
            #expect(place.record?.isValid != false, "\(point): \(text)")
            #expect(try place.canBeTaken(by: rival), "\(point): \(text)")
            #expect(place.litter == [], "\(point)")
        }

        @Test("A successor that is killed at any call leaves the predecessor holding, or had confirmed")
        func successorKilled() throws {
            for call in 0..<200 {
                let place = try Place()
                let giver = try place.holder()
                let taker = try place.session()
                giver.send("handover \(socketPath(place))")
                _ = try giver.awaitLine(startingWith: "listening")
                try taker.ask("kill-at \(call)")
                taker.send("adopt \(socketPath(place))")
                let adopted = taker.readLine()
                let isDone = adopted?.hasPrefix("adopted") == true
                if isDone { break }
                #expect(taker.end() == .killed(SIGKILL))
                if call == 0 {
                    // It died before it connected, and the predecessor waits for the next one.
                    let second = try place.session()
                    second.send("adopt \(socketPath(place))")
                    _ = second.readLine()
                    continue
                }
                try settle(
                    place, survivor: giver, answer: giver.readLine(), holds: ["kept"],
                    point: "successor killed before call \(call)")
            }
        }

        @Test("A predecessor that is killed at any call leaves the successor holding, or the lock to the next")
        func predecessorKilled() throws {
            for call in 0..<200 {
                let place = try Place()
                let giver = try place.holder()
                let taker = try place.session()
                try giver.ask("kill-at \(call)")
                giver.send("handover \(socketPath(place))")
                let isListening = giver.readLine() == "listening"
                let answer = isListening ? try taker.ask("adopt \(socketPath(place))") : "error never listened"
                let given = giver.readLine()
                try? FileManager.default.removeItem(atPath: socketPath(place).string)
                if given == "handed-over" { break }
                #expect(giver.end() == .killed(SIGKILL))
                try settle(
                    place, survivor: taker, answer: answer, holds: ["adopted"],
                    point: "predecessor killed before call \(call)")
            }
        }
    }
}
