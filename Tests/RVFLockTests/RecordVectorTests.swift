import Foundation
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Records that others made: those of real files, and the published test vectors.
@Suite struct RecordVectorTests {
    @Test(
        "A record that the reference runtime wrote is read as it was meant, and written again byte by byte",
        .enabled(if: Corpus.isPresent, "\(Corpus.absence)"), arguments: Corpus.names(in: "locks"))
    func corpus(name: String) throws {
        let bytes = try Corpus.bytes("locks", name)
        let expected = try Corpus.expectation(of: name)
        #expect(Self.hexadecimal(bytes) == expected["hex"] as? String)
        let reading = LockRecordReading(bytes)
        #expect(reading.problems.isEmpty)
        let record = try #require(reading.record)
        #expect(Int(record.processID) == expected["pid"] as? Int)
        #expect(record.hostName == (expected["hostname"] as? String).map { Array($0.utf8) })
        #expect(record.timestampNanoseconds == (expected["timestamp_ns"] as? NSNumber)?.uint64Value)
        #expect(record.writerID.description == expected["writer_id"] as? String)
        #expect(Int(record.version) == expected["version"] as? Int)
        #expect(!record.isGuarded)
        #expect(record.encoded() == bytes)
    }

    private struct Vectors: Decodable {
        var format: Int
        var records: [Record]
        var renewals: [Renewal]

        struct Record: Decodable {
            var name: String
            var size: Int
            var hex: String
            var problems: [String]
            var fields: Fields?
            var encode: Encode?
        }
        struct Fields: Decodable {
            var pid: UInt32
            var hostname_hex: String
            var `guard`: Bool
            var timestamp_ns: String
            var writer_id: String
            var version: UInt32
        }
        struct Encode: Decodable {
            var pid: UInt32
            var hostname_hex: String
            var `guard`: Bool
            var timestamp_ns: String
            var writer_id: String
        }
        struct Renewal: Decodable {
            var name: String
            var hex: String
            var now_ns: String
            var timestamp_ns: String
            var renewed_hex: String
        }
    }

    /// This file is <package>/Tests/RVFLockTests/RecordVectorTests.swift.
    private static let file = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .removingLastComponent().appending("spec/vectors/lock-records.json")

    private static var isPresent: Bool { FileManager.default.fileExists(atPath: file.string) }

    private func vectors() throws -> Vectors {
        try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: URL(fileURLWithPath: Self.file.string)))
    }

    @Test("Every published record is read and written as its vector says", .enabled(if: isPresent))
    func publishedRecords() throws {
        let vectors = try vectors()
        #expect(vectors.format == 1)
        #expect(!vectors.records.isEmpty)
        for vector in vectors.records {
            let bytes = Self.bytes(vector.hex)
            #expect(bytes.count == vector.size, "\(vector.name)")
            let reading = LockRecordReading(Array(bytes.prefix(104)), fileBytes: Int64(bytes.count))
            #expect(Self.words(reading.problems) == vector.problems, "\(vector.name)")
            #expect((reading.record == nil) == (vector.fields == nil), "\(vector.name)")
            if let fields = vector.fields, let record = reading.record {
                #expect(record.processID == fields.pid, "\(vector.name)")
                #expect(Self.hexadecimal(record.hostName) == fields.hostname_hex, "\(vector.name)")
                #expect(record.isGuarded == fields.guard, "\(vector.name)")
                #expect("\(record.timestampNanoseconds)" == fields.timestamp_ns, "\(vector.name)")
                #expect(record.writerID.description == fields.writer_id, "\(vector.name)")
                #expect(record.version == fields.version, "\(vector.name)")
            }
            if let made = vector.encode {
                let record = LockRecord(
                    processID: made.pid, hostName: Self.bytes(made.hostname_hex),
                    timestampNanoseconds: try #require(UInt64(made.timestamp_ns)),
                    writerID: try #require(WriterID(hexadecimal: made.writer_id)), isGuarded: made.guard)
                #expect(Self.hexadecimal(record.encoded()) == vector.hex, "\(vector.name)")
            }
        }
    }

    @Test("Every published renewal has the timestamp that its vector says", .enabled(if: isPresent))
    func publishedRenewals() throws {
        let renewals = try vectors().renewals
        #expect(!renewals.isEmpty)
        for vector in renewals {
            var record = try #require(RecordBytes(Self.bytes(vector.hex)))
            record.timestampNanoseconds = RecordTimestamp.keepingChecksum(
                of: record, nowNanoseconds: try #require(UInt64(vector.now_ns)))
            #expect("\(record.timestampNanoseconds)" == vector.timestamp_ns, "\(vector.name)")
            #expect(Self.hexadecimal(record.array) == vector.renewed_hex, "\(vector.name)")
        }
    }

    private static func words(_ problems: LockRecordReading.Problems) -> [String] {
        let names: [(LockRecordReading.Problems, String)] = [
            (.size, "size"), (.magic, "magic"), (.checksum, "checksum"), (.version, "version"),
        ]
        return names.filter { problems.contains($0.0) }.map(\.1)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String(format: "%02x", $0) }.joined()
    }

    private static func bytes(_ text: String) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)!
        }
    }
}
