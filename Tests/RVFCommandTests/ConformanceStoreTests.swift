import Foundation
import RVFConformance
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

/// A store's bytes, put together segment by segment, with mistakes where a test wants them.
private struct StoreDraft {
    var bytes: [UInt8] = []
    var directory: [DirectoryEntry] = []
    private var nextID: UInt64 = 1

    /// The offset of the new segment's header.
    @discardableResult
    mutating func add(
        _ type: SegmentType, _ payload: [UInt8], isNamed: Bool = true, isAligned: Bool = true,
        _ change: (inout SegmentHeader) -> Void = { _ in }
    ) -> UInt64 {
        if isAligned { bytes += [UInt8](repeating: 0, count: (64 - bytes.count % 64) % 64) }
        let hash = ContentHash(checksum: CRC32.of(payload.bytes))
        var header = SegmentHeader(type: type, id: nextID, payloadByteCount: UInt64(payload.count), hash: hash)
        change(&header)
        nextID += 1
        let offset = UInt64(bytes.count)
        if isNamed {
            directory.append(
                DirectoryEntry(id: header.id, offset: offset, payloadByteCount: header.payloadByteCount, type: type))
        }
        bytes += header.encoded + payload
        return offset
    }

    /// Two rows of one component, with the ids 1 and 2 if no others are given.
    @discardableResult
    mutating func addRows(first: UInt8 = 1, isAligned: Bool = true, _ change: (inout SegmentHeader) -> Void = { _ in }) -> UInt64 {
        let row: (UInt8) -> [UInt8] = { [$0] + [UInt8](repeating: 0, count: 11) }
        return add(.vectors, [1, 0, 2, 0, 0, 0] + row(first) + row(first + 1), isAligned: isAligned, change)
    }

    @discardableResult
    mutating func publish(
        epoch: UInt32 = 1, total: UInt64 = 2, _ change: (inout ManifestPayload) -> Void = { _ in },
        raw: (inout [UInt8]) -> Void = { _ in }
    ) -> UInt64 {
        var payload = ManifestPayload(
            epoch: epoch, dimension: 1, totalVectorCount: total, metric: .squaredL2, directory: directory, deletedIDs: [],
            identity: Self.identity)
        change(&payload)
        var encoded = payload.encoded
        raw(&encoded)
        return add(.manifest, encoded, isNamed: false)
    }

    /// As it comes out of the 162 bytes of an empty store.
    private static let identity: StoreIdentity? = {
        let bare = ManifestPayload(
            epoch: 1, dimension: 1, totalVectorCount: 0, metric: .squaredL2, directory: [], deletedIDs: [], identity: nil)
        let bytes = bare.encoded + Array("IDIF".utf8) + [UInt8](repeating: 7, count: 16) + [UInt8](repeating: 0, count: 52)
        return try? ManifestPayload(bytes.bytes).identity
    }()

    static func witness(_ action: String, after previous: [UInt8]? = nil) -> [UInt8] {
        let hash = previous.map { WitnessHash(hashing: $0.bytes) } ?? .none
        return WitnessPayload(kind: 1, timestampNanoseconds: 1, action: action, previousHash: hash).encoded
    }
}

@Suite("conformance store")
final class ConformanceStoreTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }

    init() throws { directory = try TemporaryDirectory() }

    private func findings(_ draft: StoreDraft) throws -> StoreFindings {
        try directory.write(draft.bytes, to: "data.rvf")
        return try StoreConformance.run(at: file, options: WorkOptions())
    }

    /// The mistake, and nothing else, is found.
    private func expect(
        _ grade: StoreFinding.Grade, _ rule: StoreRule, _ location: SourceLocation = #_sourceLocation,
        _ make: (inout StoreDraft) -> UInt64
    ) throws {
        var draft = StoreDraft()
        let offset = make(&draft)
        let listed = try findings(draft).listed
        #expect(listed.map(\.rule) == [rule], "\(listed)", sourceLocation: location)
        #expect(listed.first?.grade == grade, sourceLocation: location)
        #expect(listed.first?.offset == offset, "\(listed)", sourceLocation: location)
    }

    @Test("nothing is found in a store as the page has it")
    func conforming() throws {
        var draft = StoreDraft()
        draft.addRows()
        let first = StoreDraft.witness("one")
        draft.add(.witness, first)
        draft.publish()
        draft.directory.removeLast()
        draft.addRows(first: 3)
        draft.add(.witness, StoreDraft.witness("two", after: first))
        draft.publish(epoch: 2, total: 4) { $0.deletedIDs = [1, 3] }
        #expect(try findings(draft).listed == [])
    }

    @Test("headers of segments")
    func headers() throws {
        try expect(.error, .headerZeros) { draft in
            defer { draft.publish() }
            return draft.addRows { $0.flags = 1 } + 6
        }
        try expect(.error, .hashSet) { draft in
            defer { draft.publish() }
            return draft.addRows { $0.hash = .unset } + 0x28
        }
        try expect(.error, .hashKind) { draft in
            defer { draft.publish() }
            return draft.addRows { $0.hash = ContentHash(words: [1, 2, 3, 4]) } + 0x28
        }
        try expect(.error, .segmentType) { draft in
            draft.addRows()
            defer { draft.publish() }
            return draft.add(SegmentType(rawValue: 0x12), [1])
        }
        try expect(.advice, .segmentVersion) { draft in
            draft.addRows()
            defer { draft.publish() }
            return draft.add(.overlay, [1]) { $0.version = 2 }
        }
        try expect(.advice, .segmentIDs) { draft in
            draft.addRows()
            defer { draft.publish() }
            return draft.add(.overlay, [1]) { $0.id = 1 }
        }
    }

    @Test("where segments stand")
    func places() throws {
        try expect(.advice, .alignment) { draft in
            draft.addRows()
            defer { draft.publish() }
            return draft.add(.overlay, [1], isAligned: false)
        }
        try expect(.error, .stray) { draft in
            draft.addRows()
            draft.bytes += [1, 2, 3]
            let offset = UInt64(draft.bytes.count - 3)
            // A manifest behind such bytes is believed if it names something there.
            draft.addRows(first: 3)
            draft.publish(total: 4)
            return offset
        }
        try expect(.advice, .uncommitted) { draft in
            draft.addRows()
            draft.publish()
            return draft.addRows(first: 3)
        }
        try expect(.error, .manifestReach) { draft in
            draft.addRows()
            let offset = draft.publish()
            draft.add(.witness, StoreDraft.witness(String(repeating: "a", count: 70_000)), isNamed: false)
            return offset
        }
    }

    @Test("what manifests say")
    func manifests() throws {
        func payload(_ offset: UInt64) -> UInt64 { offset + 64 }
        try expect(.error, .total) { draft in
            draft.addRows()
            return payload(draft.publish(total: 3)) + 6
        }
        try expect(.error, .deletedRising) { draft in
            draft.addRows()
            // Behind the fixed fields, one entry and the count: the second id.
            return payload(draft.publish { $0.deletedIDs = [2, 1] }) + 22 + 25 + 4 + 8
        }
        try expect(.error, .manifestZeros) { draft in
            draft.addRows()
            return payload(draft.publish(raw: { $0[21] = 1 })) + 20
        }
        try expect(.error, .manifestMetric) { draft in
            draft.addRows()
            return payload(draft.publish(raw: { $0[19] = 7 })) + 19
        }
        try expect(.advice, .identity) { draft in
            draft.addRows()
            return draft.publish { $0.identity = nil }
        }
        try expect(.error, .manifestEpoch) { draft in
            draft.addRows()
            draft.publish(epoch: 3)
            return payload(draft.publish(epoch: 2))
        }
        try expect(.advice, .manifestEpoch) { draft in
            draft.addRows()
            draft.publish(epoch: 3)
            return payload(draft.publish(epoch: 5))
        }
        try expect(.advice, .manifestDirectory) { draft in
            draft.addRows()
            draft.add(.witness, StoreDraft.witness("one"))
            draft.add(.witness, StoreDraft.witness("other"))
            return payload(draft.publish()) + 22 + 25
        }
    }

    @Test("journals, witnesses and damage")
    func payloads() throws {
        try expect(.error, .journal) { draft in
            draft.addRows()
            defer { draft.publish() }
            return draft.add(.journal, [9, 0, 0, 0])
        }
        try expect(.error, .witnessChain) { draft in
            draft.addRows()
            draft.publish()
            draft.add(.witness, StoreDraft.witness("one"), isNamed: false)
            return draft.add(.witness, StoreDraft.witness("two", after: [1, 2, 3]), isNamed: false)
        }
        try expect(.damage, .damage) { draft in
            let offset = draft.addRows()
            draft.bytes[draft.bytes.count - 1] ^= 1
            draft.publish()
            return offset
        }
    }

    @Test("the command tells of each file, and its code is that of the worst")
    func command() async throws {
        var draft = StoreDraft()
        draft.addRows()
        draft.publish()
        let good = try directory.write(draft.bytes, to: "good.rvf").string
        var damaged = draft.bytes
        damaged[80] ^= 1
        let bad = try directory.write(damaged, to: "damaged.rvf").string
        draft.publish(epoch: 2, total: 9)
        let wrong = try directory.write(draft.bytes, to: "wrong.rvf").string
        let junit = directory.file("report.xml").string

        #expect(try await Command.run(["conformance", "store", good]).code == 0)
        let result = try await Command.run(["conformance", "store", good, wrong, "--json", "--junit", junit])
        #expect(result.code == 1)
        let objects = result.lines.map(JSONText.object)
        #expect(objects.map { $0["ok"] as? Bool } == [true, false])
        let findings = try #require(objects[1]["findings"] as? [[String: Any]])
        #expect(findings.map { $0["rule"] as? String } == ["total"])
        let document = try String(contentsOfFile: junit, encoding: .utf8)
        #expect(document.contains(#"tests="\#(2 * StoreRule.allCases.count)" failures="1""#))
        #expect(try await Command.run(["conformance", "store", wrong, bad]).code == 5)
        #expect(try await Command.run(["conformance", "store", directory.file("none").string]).code == 1)
    }

    @Test("stores of this writer have not even advice")
    func own() async throws {
        #expect(try await Command.run(["create", file.string, "-d", "2", "--metric", "cosine"]).code == 0)
        for start in [1, 300] {
            let rows = (start..<start + 400).map { #"{"id":\#($0),"vector":[\#($0),1],"metadata":{"n":\#($0)}}"# }
            let input = "[" + rows.joined(separator: ",") + "]"
            #expect(try await Command.run(["ingest", file.string, "-i", "-", "--batch-size", "90"], input: input).code == 0)
        }
        #expect(try await Command.run(["delete", file.string, "--ids", "1,2,30"]).code == 0)
        #expect(try StoreConformance.run(at: file, options: WorkOptions()).listed == [])
        #expect(try await Command.run(["compact", file.string]).code == 0)
        #expect(try StoreConformance.run(at: file, options: WorkOptions()).listed == [])
    }

    @Test("stores of the reference have advice only", .enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absence)))
    func corpus() throws {
        for name in Corpus.names(in: "stores") {
            let findings = try StoreConformance.run(at: Corpus.file("stores", name), options: WorkOptions())
            #expect(findings.isConforming, "\(name): \(findings.listed.filter { $0.grade != .advice })")
        }
    }
}
