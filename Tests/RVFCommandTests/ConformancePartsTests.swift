import Foundation
import RVFConformance
import RVFLock
import Testing

@Suite("the conformance kit's parts")
struct ConformancePartsTests {
    @Test("answers are a known word and details")
    func answers() {
        #expect(PeerAnswer(line: "ok") == PeerAnswer(.ok))
        let held = PeerAnswer(line: "held pid=17 by somebody")
        #expect(held?.word == .held)
        #expect(held?.value(of: "pid") == "17")
        #expect(held?.value(of: "guard") == nil)
        for line in ["", " ok", "okay", "OK", "yes", "held\u{0}"] { #expect(PeerAnswer(line: line) == nil, "\(line)") }
        #expect(PeerAnswer(.error, "two\nlines").line == "error two lines")
    }

    @Test("requests are read as they are written, with spaces in the path")
    func requests() {
        let all: [PeerRequest] = [.acquire("/a b/c"), .release, .validate, .status("x"), .exit]
        for request in all { #expect(PeerRequest(line: request.line) == request) }
        for line in ["", "acquire", "acquire ", "release now", "exit ", "die"] { #expect(PeerRequest(line: line) == nil) }
    }

    @Test("lines come together from pieces, and none may be too long")
    func lines() {
        var buffer = LineBuffer()
        #expect(buffer.next() == nil)
        buffer.append(Array("he".utf8))
        #expect(buffer.next() == nil)
        buffer.append(Array("ld\nok\n".utf8))
        #expect(buffer.next() == .text("held"))
        #expect(buffer.next() == .text("ok"))
        #expect(buffer.isEmpty)
        buffer.append([UInt8](repeating: 120, count: LineBuffer.limitBytes + 1))
        #expect(buffer.next() == .tooLong)
        buffer.append(Array("\n".utf8))
        #expect(buffer.next() == .tooLong)
    }

    @Test("the referee sees holders that overlap, and none where one follows another")
    func referee() throws {
        var referee = IntervalReferee()
        referee.add(.init(holder: "a", start: 10, end: 20))
        referee.add(.init(holder: "b", start: 20, end: 30))
        referee.add(.init(holder: "a", start: 40, end: 90))
        #expect(referee.evidence == nil)
        // Inside a long one, with a shorter one between.
        referee.add(.init(holder: "c", start: 50, end: 60))
        referee.add(.init(holder: "b", start: 70, end: 80))
        #expect(referee.overlaps.map(\.second.holder) == ["c", "b"])
        #expect(try #require(referee.evidence).contains("2 × in 5 acquisitions"))
    }

    @Test("the stored cases have names of their own, and the bytes that they speak of")
    func stored() throws {
        #expect(Set(StoredCase.all.map(\.name)).count == StoredCase.all.count)
        let id = try #require(WriterID(hexadecimal: "000102030405060708090a0b0c0d0e0f"))
        let now: UInt64 = 1_767_225_600_000_000_000
        let context = StoredContext(
            deadProcess: 4711, liveProcess: 17, hostName: Array("here".utf8), nowNanoseconds: now, writerID: id)
        func reading(_ name: String) throws -> LockRecordReading {
            LockRecordReading(try #require(StoredCase.all.first { $0.name == name }).recipe.bytes(in: context))
        }
        let dead = try reading("dead-31s")
        #expect(dead.problems == [])
        #expect(dead.record?.processID == 4711)
        #expect(dead.record?.timestampNanoseconds == now - 31_000_000_000)
        #expect(try reading("live-1-day").record?.processID == 17)
        #expect(try reading("other-host-299s").record?.hostName != context.hostName)
        #expect(try reading("dead-future").record?.timestampNanoseconds == now + 3_600_000_000_000)
        #expect(try reading("empty-old").isEmpty)
        #expect(try reading("short-103-old").fileBytes == 103)
        #expect(try reading("bad-magic-old").problems.contains(.magic))
        #expect(try reading("bad-checksum-old").problems == .checksum)
        #expect(try reading("version-2").problems == .version)
        #expect(try reading("longer-dead").problems == .size)
        #expect(try reading("guard-byte-dead").record?.isGuarded == true)
        let margins = StoredCase.all.filter { $0.marginSeconds == 1 }.map(\.name)
        #expect(margins == ["dead-29s", "other-host-299s"], "these alone are a matter of a second")
    }

    @Test("a report counts, and its XML can be parsed whatever the evidence")
    func report() throws {
        let report = ConformanceReport(
            title: "kit",
            results: [
                ScenarioResult(name: "a", summary: "", verdict: .pass("fine"), seconds: 1.5),
                ScenarioResult(name: "b<>", summary: "", verdict: .fail("“\"&<\u{1}\u{0}\n>”"), seconds: 0.0004),
                ScenarioResult(name: "c", summary: "", verdict: .notApplicable("since"), seconds: -1),
            ])
        #expect((report.passCount, report.failCount, report.notApplicableCount) == (1, 1, 1))
        #expect(report.junit.contains(#"tests="3" failures="1" errors="0" skipped="1" time="0.500""#))
        #expect(report.junit.contains(#"name="a" time="1.500"/>"#))
        #expect(report.junit.contains(#"message="“&quot;&amp;&lt;"#))
        #expect(!report.junit.utf8.contains(0) && !report.junit.utf8.contains(1))
        #expect(ConformanceReport.escape("ä\t") == "ä&#9;")
    }
}
