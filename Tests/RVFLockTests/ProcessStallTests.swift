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
    /// A process is stopped before each of its system calls in turn, another does what it can meanwhile, and then the
    /// first goes on. Never do both have the lock.
    @Suite struct Stalls {
        /// - Parameter meanwhile: Told the process that is free to act; says whether that one has the lock now.
        private func stopAtEveryCall(
            of operation: String, hasFile: Bool, prepare: (borrowing Place, Probe) throws -> Void,
            meanwhile: (borrowing Place, Probe) throws -> Bool
        ) throws {
            for call in 0..<200 {
                let place = try Place(hasFile: hasFile)
                let slow = try place.session()
                try prepare(place, slow)
                try slow.ask("stop-at \(call)")
                slow.send(operation)
                guard slow.awaitStopOrAnswer() else { return }
                let quick = try place.session()
                let quickHolds = try meanwhile(place, quick)
                slow.kill(SIGCONT)
                let answer = try #require(slow.readLine())
                let slowHolds = try slow.ask("validate") == "ok"
                let point = "\(operation), stopped before call \(call): \(answer)"
                // Loss is told by a validate, so both are asked, the slow one before the quick one.
                let quickStillHolds = try quickHolds && quick.ask("validate") == "ok"
                #expect(!(slowHolds && quickStillHolds), "both hold: \(point)")
                #expect(!quickHolds || quickStillHolds, "the quick one was robbed: \(point)")
                // One that has lost its lock keeps the kernel's until it is told to let go.
                for probe in [slow, quick] { try probe.ask("release") }
                let last = try place.session()
                #expect(try place.canBeTaken(by: last), "\(point)")
                #expect(place.litter == [], "\(point)")
            }
            Issue.record("\(operation) never completed")
        }

        private func takes(_ place: borrowing Place, _ quick: Probe) throws -> Bool {
            try quick.ask("acquire").hasPrefix("held")
        }

        @Test("A process that stalls anywhere in an acquisition never holds beside one that came meanwhile",
            arguments: [true, false])
        func acquire(hasFile: Bool) throws {
            try stopAtEveryCall(of: "acquire", hasFile: hasFile, prepare: { _, _ in }, meanwhile: takes)
        }

        @Test("A process that stalls anywhere in a take-over never holds beside one that came meanwhile",
            arguments: [true, false])
        func takeOver(hasFile: Bool) throws {
            try stopAtEveryCall(of: "acquire", hasFile: hasFile) { place, _ in
                try place.holder().killAndReap()
            } meanwhile: { try takes($0, $1) }
        }

        @Test("A process that stalls in an acquisition while the lock file is deleted never holds beside another",
            arguments: [true, false])
        func deletion(isTakeOver: Bool) throws {
            try stopAtEveryCall(of: "acquire", hasFile: true) { place, _ in
                if isTakeOver { try place.holder().killAndReap() }
            } meanwhile: { place, quick in
                try? FileManager.default.removeItem(atPath: place.path.string + ".lock")
                return try takes(place, quick)
            }
        }

        @Test("A process that stalls in its release or renewal neither robs who came meanwhile nor keeps the lock",
            arguments: ["release", "renew", "draft x"])
        func afterwards(operation: String) throws {
            for hasFile in TestPowers.isLong ? [true, false] : [true] {
                try stopAtEveryCall(of: operation, hasFile: hasFile) { _, slow in
                    try #require(try slow.ask("acquire").hasPrefix("held"))
                } meanwhile: { try takes($0, $1) }
            }
        }

        @Test("A process that stalls while the protected file is made by another starts over and guards it")
        func fileAppears() throws {
            try stopAtEveryCall(of: "acquire", hasFile: false, prepare: { _, _ in }) { place, quick in
                guard try takes(place, quick) else { return false }
                #expect(try quick.ask("draft made") == "ok")
                return true
            }
        }
    }
}
