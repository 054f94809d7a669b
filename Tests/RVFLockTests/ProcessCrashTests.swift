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
    /// A process is killed at each of its system calls in turn, until what it does is complete. After every death the
    /// next process has the lock at once, whoever looked saw a whole record or none, and a later holder tidies up.
    @Suite struct Crashes {
        /// A bound that no operation comes near: a test that never completes is a mistake, not a reason to hang.
        static let mostCalls = 200

        /// - Parameters:
        ///   - prepare: Brings the process to where the operation starts; nil ends a case that cannot be.
        ///   - operation: The line that is cut short.
        private func killAtEveryCall(
            of operation: String, hasFile: Bool = true, expecting answer: String, nextUser: Int? = nil,
            prepare: (borrowing Place, Probe) throws -> Void,
            afterDeath: (borrowing Place) -> Void = { _ in }
        ) throws -> Int {
            for call in 0..<Self.mostCalls {
                let place = try Place(hasFile: hasFile)
                let victim = try place.session()
                try prepare(place, victim)
                try victim.ask("kill-at \(call)")
                victim.send(operation)
                if let line = victim.readLine() {
                    #expect(line.hasPrefix(answer), "\(operation), no call left to die at: \(line)")
                    try victim.ask("disarm")
                    return call
                }
                #expect(victim.end() == .killed(SIGKILL))
                afterDeath(place)
                try lookAfterDeath(place, nextUser, at: "\(operation), killed before call \(call)")
            }
            Issue.record("\(operation) never completed")
            return 0
        }

        private func lookAfterDeath(_ place: borrowing Place, _ user: Int?, at point: String) throws {
            if let record = place.record {
                #expect(record.isValid, "\(point): a bad record is left: \(record.bytes)")
            }
            let next = try place.session()
            if let user { try next.ask("become \(user)") }
            #expect(try place.canBeTaken(by: next), "\(point)")
            // What is younger than 30 s may belong to somebody at work, and stays.
            for name in place.litter { try place.directory.file(name).setBack(seconds: 31) }
            let tidier = try place.session()
            if let user { try tidier.ask("become \(user)") }
            #expect(try place.canBeTaken(by: tidier), "\(point)")
            #expect(place.litter == [], "\(point)")
            #expect(place.record == nil, "\(point)")
        }

        @Test("A process killed at any call of an acquisition leaves a lock that the next has at once",
            arguments: [true, false])
        func acquire(hasFile: Bool) throws {
            let calls = try killAtEveryCall(of: "acquire", hasFile: hasFile, expecting: "held") { _, _ in }
            #expect(calls > 5)
        }

        @Test("A process killed at any call of taking a dead one's lock over leaves it to be taken over again",
            arguments: [true, false])
        func takeOver(hasFile: Bool) throws {
            let calls = try killAtEveryCall(of: "acquire", hasFile: hasFile, expecting: "held") { place, _ in
                try place.holder().killAndReap()
                #expect(place.record?.isValid == true)
            }
            #expect(calls > 8)
        }

        @Test("A process killed at any call of taking a dead peer's old lock over leaves it to be taken over again")
        func takeOverFromPeer() throws {
            let calls = try killAtEveryCall(of: "acquire", expecting: "held") { place, victim in
                try victim.ask("set settle=1")
                let record = SeenRecord.make(process: 999_999_999, host: "elsewhere", ageSeconds: 301)
                try place.directory.write(record, to: "data.rvf.lock")
            }
            #expect(calls > 8)
        }

        @Test("A process killed at any call of exchanging a lock that it may not write leaves it to be taken over",
            .enabled(if: TestPowers.isRoot, "\(TestPowers.rootAbsence)"))
        func exchange() throws {
            let calls = try killAtEveryCall(of: "acquire", expecting: "held", nextUser: 65534) { place, victim in
                let everything: [FileAttributeKey: Any] = [.posixPermissions: 0o777]
                try FileManager.default.setAttributes(everything, ofItemAtPath: place.directory.path.string)
                try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: place.path.string)
                let record = SeenRecord.make(process: 999_999_999, host: "elsewhere", ageSeconds: 301)
                try place.directory.write(record, to: "data.rvf.lock")
                try victim.ask("set settle=1")
                try victim.ask("become 65534")
            }
            #expect(calls > 8)
        }

        @Test("A process killed at any call of a renewal or a validation leaves a whole record",
            arguments: ["renew", "validate"])
        func renew(operation: String) throws {
            let calls = try killAtEveryCall(of: operation, expecting: "ok") { place, victim in
                try #require(try victim.ask("acquire").hasPrefix("held"))
            }
            #expect(calls > 2)
        }

        @Test("A process killed at any call of a release leaves nothing that hinders", arguments: [true, false])
        func release(hasFile: Bool) throws {
            let calls = try killAtEveryCall(of: "release", hasFile: hasFile, expecting: "ok") { place, victim in
                try #require(try victim.ask("acquire").hasPrefix("held"))
            }
            #expect(calls > 4)
        }

        @Test("A process killed at any call of creating or replacing the protected file leaves all of it or nothing",
            arguments: [true, false])
        func draft(hasFile: Bool) throws {
            let before = hasFile ? "vectors" : nil
            let calls = try killAtEveryCall(of: "draft new", hasFile: hasFile, expecting: "ok") { place, victim in
                try #require(try victim.ask("acquire").hasPrefix("held"))
            } afterDeath: { place in
                let content = FileManager.default.contents(atPath: place.path.string)
                    .map { String(decoding: $0, as: UTF8.self) }
                #expect(content == "new" || content == before)
            }
            #expect(calls > 6)
        }
    }
}
