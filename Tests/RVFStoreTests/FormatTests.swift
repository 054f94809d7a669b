import CZlib
import RVFReference
import RVFStore
import Testing

@Suite("Codecs")
struct FormatTests {
    @Test("a header survives encoding and decoding, unknown fields and all")
    func header() throws {
        let bytes = [0x53, 0x46, 0x56, 0x52] + (4..<64).map { UInt8($0 * 3) }
        let decoded = SegmentHeader(bytes.bytes)
        let header = try #require(decoded)
        #expect(header.encoded == bytes)
        #expect(header.type.rawValue == 15)
        #expect(header.id == 0x2D2A_2724_211E_1B18)
        for other in [Array(bytes[..<63]), [UInt8](repeating: 0x53, count: 64)] {
            let isHeader = SegmentHeader(other.bytes) != nil
            #expect(!isHeader)
        }
    }

    @Test("where a segment ends is told only where 64 bits can say it")
    func end() {
        let header = SegmentHeader(type: .vectors, id: 1, payloadByteCount: .max - 70, hash: .unset)
        #expect(header.end(at: 6) == .max)
        #expect(header.end(at: 7) == nil)
        #expect(header.end(at: .max) == nil)
        #expect(DirectoryEntry(id: 1, offset: .max, payloadByteCount: 0, type: .vectors).end == nil)
        #expect(DirectoryEntry(id: 1, offset: 64, payloadByteCount: .max, type: .vectors).end == nil)
    }

    @Test("a checksum is zlib's, whatever the length, the place in memory and the pieces")
    func checksum() {
        // The high bits of a linear congruential generator, the same in every run.
        var state: UInt64 = 1
        let bytes = (0..<5_000).map { _ -> UInt8 in
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return UInt8(state >> 56)
        }
        for start in 0..<20 {
            for count in Array(0...300) + [511, 512, 513, 1_000, 4_095, 4_096, 4_097] {
                let part = Array(bytes[start..<(start + count)])
                // zlib reads the array's own bytes.
                let expected = unsafe part.withUnsafeBufferPointer {
                    count == 0 ? 0 : unsafe UInt32(crc32_z(0, $0.baseAddress, count))
                }
                #expect(CRC32.of(part.bytes) == expected, "\(count) bytes from \(start)")
                var pieces = CRC32()
                pieces.update(bytes.bytes.extracting(start..<(start + count / 3)))
                pieces.update(bytes.bytes.extracting((start + count / 3)..<(start + count)))
                #expect(pieces.value == expected, "\(count) bytes from \(start), in two pieces")
            }
        }
    }

    @Test("a content hash is four rotations of the payload's CRC-32, and anything else is told apart")
    func contentHash() {
        // The check value of CRC-32 from the catalogue of parametrised CRC algorithms.
        let checksum = CRC32.of(Array("123456789".utf8).bytes)
        #expect(checksum == 0xCBF4_3926)
        let hash = ContentHash(checksum: checksum)
        #expect(hash.words == [0xCBF4_3926, 0xF439_26CB, 0x3926_CBF4, 0x26CB_F439])
        #expect(hash.verdict(onChecksum: checksum) == .matches)
        #expect(hash.verdict(onChecksum: 1) == .differs)
        #expect(ContentHash.unset.verdict(onChecksum: checksum) == .unset)
        #expect(ContentHash(checksum: 0).verdict(onChecksum: 0) == .unset)
        #expect(ContentHash(words: [1, 2, 3, 4]).verdict(onChecksum: 1) == .unverifiable)
        var pieces = CRC32()
        pieces.update(Array("1234".utf8).bytes)
        pieces.update([UInt8]().bytes)
        pieces.update(Array("56789".utf8).bytes)
        #expect(pieces.value == checksum)
    }

    private func manifest(identity: Bool = true, mark: Bool = true) throws -> ManifestPayload {
        var peer = ReferenceWriter(dimension: 7, metric: 2, fileID: identity ? Array(1...16) : nil)
        peer.ingest(rows(1...3, dimension: 7))
        peer.deleted = [2, 9]
        var payload = try ManifestPayload(peer.manifestPayload().bytes)
        if mark { payload.mark = PlacementMark(manifestOffset: 0x1234_5678_9A) }
        return payload
    }

    @Test("a manifest survives encoding and decoding, with and without identity and mark", arguments: [false, true], [false, true])
    func manifest(_ identity: Bool, _ mark: Bool) throws {
        var payload = try manifest(identity: identity, mark: mark)
        #expect(payload.encoded.count == payload.encodedByteCount)
        #expect(payload.dimension == 7 && payload.metric == .cosine && payload.deletedIDs == [2, 9])
        #expect(payload.directory.map(\.type) == [.manifest, .vectors, .manifest])
        // A mark is written behind an identity only.
        if !identity { payload.mark = nil }
        #expect(try ManifestPayload(payload.encoded.bytes) == payload)
        #expect(try ManifestPayload((payload.encoded + [1, 2, 3]).bytes) == payload)
        let more = payload.encoded + [UInt8](repeating: 0xAB, count: 100)
        #expect(try ManifestPayload(more.bytes) == payload)
    }

    @Test("no part of a manifest is taken for a whole one")
    func manifestParts() throws {
        let payload = try manifest()
        let encoded = payload.encoded
        // Cut before the mark, or right behind the deleted list, it is a whole one with less in it.
        let whole = [encoded.count - 16 - 72]
        for length in 0..<encoded.count where !whole.contains(length) {
            let part = try? ManifestPayload(Array(encoded[..<length]).bytes)
            let isWithoutMark = length >= encoded.count - 16 && part?.identity == payload.identity
            let isWithoutIdentity = length < encoded.count - 88 + 4 && length > encoded.count - 88 && part?.identity == nil
            #expect(part == nil || isWithoutMark || isWithoutIdentity, "length \(length)")
        }
    }

    @Test("vector payloads whose rows do not fit are refused")
    func vectors() throws {
        let head = VectorPayload(dimension: 3, rowCount: 5).encodedHead
        #expect(try VectorPayload(head: head.bytes, payloadByteCount: 106).rowCount == 5)
        #expect(throws: FormatError.self) { try VectorPayload(head: head.bytes, payloadByteCount: 105) }
        #expect(throws: FormatError.self) { try VectorPayload(head: Array(head[..<5]).bytes, payloadByteCount: 5) }
        #expect(throws: FormatError.self) { try VectorPayload(head: [0, 0, 1, 0, 0, 0].bytes, payloadByteCount: 100) }
        let huge = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] as [UInt8]
        #expect(throws: FormatError.self) { try VectorPayload(head: huge.bytes, payloadByteCount: 1000) }
    }

    @Test("a journal survives encoding and decoding, and passes over what it does not know")
    func journal() throws {
        let journal = JournalPayload(epoch: 4, previousSegmentID: 9, deletedIDs: [1, .max, 7])
        #expect(try JournalPayload(journal.encoded.bytes) == journal)
        var mixed = little(2, 4) + little(4, 4) + little(9, 8)
        mixed += [77, 0, 3, 0, 1, 2, 3] + [1, 0, 8, 0] + little(5, 8)
        #expect(try JournalPayload(mixed.bytes).deletedIDs == [5])
        for length in 0..<journal.encoded.count {
            #expect(throws: FormatError.self) { try JournalPayload(Array(journal.encoded[..<length]).bytes) }
        }
        #expect(throws: FormatError.self) { try JournalPayload((little(0xFFFF_FFFF, 4) + little(0, 12)).bytes) }
    }

    @Test("a witness survives encoding and decoding, and its hash is the one of the format")
    func witness() throws {
        let witness = WitnessPayload(kind: 1, timestampNanoseconds: 5, action: "query é", previousHash: .none)
        #expect(try WitnessPayload(witness.encoded.bytes) == witness)
        #expect(WitnessHash(hashing: witness.encoded.bytes).bytes == ReferenceWriter.witnessHash(witness.encoded))
        for length in 0..<witness.encoded.count {
            #expect(throws: FormatError.self) { try WitnessPayload(Array(witness.encoded[..<length]).bytes) }
        }
    }

    @Test("segment types have names, and numbers where they have none")
    func types() {
        #expect(SegmentType.vectors.description == "vectors")
        #expect(SegmentType.dashboard.description == "dashboard")
        #expect(SegmentType(rawValue: 0).description == "type 0x0")
        #expect(SegmentType(rawValue: 0xF3).description == "type 0xf3")
    }

    @Test("a manifest in which other readers would find another one is not published")
    func publishCheck() {
        let header = SegmentHeader(type: .manifest, id: 1, payloadByteCount: 300, hash: ContentHash(checksum: 7)).encoded
        let plain = header + [UInt8](repeating: 0, count: 300)
        func isPublished(_ manifest: [UInt8]) -> Bool { PublishCheck.findsOnly(manifest: manifest.bytes) }
        #expect(isPublished(plain))
        for place in [1, 64, 101, 150] {
            var disguised = plain
            let inner = SegmentHeader(type: .manifest, id: 1, payloadByteCount: 30, hash: .unset).encoded
            disguised.replaceSubrange(place..<(place + 64), with: inner)
            #expect(!isPublished(disguised))
            // Nobody can parse what would end behind the file.
            disguised.replaceSubrange((place + 16)..<(place + 24), with: little(400, 8))
            #expect(isPublished(disguised))
        }
    }
}
