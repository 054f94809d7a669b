import RVFReference
import RVFStore
import SystemPackage
import Testing

@Suite("Stores of the reference runtime", .enabled(if: StoreCorpus.isPresent, "\(StoreCorpus.whereToGetIt)"))
struct CorpusTests {
    @Test("every store of the corpus says what is expected of it", arguments: StoreCorpus.stores, [ReadMode.mapped, .positional])
    func saysWhatIsExpected(_ name: String, _ mode: ReadMode) throws {
        let expected = try StoreCorpus.expectation(name)
        var options = ReaderOptions()
        options.readMode = mode
        let snapshot = try StoreReader(at: StoreCorpus.path(name), options: options).snapshot()
        #expect(snapshot.fileByteCount == expected.bytes)
        #expect(snapshot.manifestOffset == expected.manifest_offset)
        #expect(snapshot.epoch == expected.epoch)
        #expect(snapshot.dimension == expected.dimension)
        #expect(snapshot.profile == expected.profile)
        #expect(snapshot.metric.rawValue == expected.metric)
        #expect(snapshot.totalCount == expected.total_vectors)
        #expect(snapshot.liveCount == expected.live_vectors)
        #expect(snapshot.deletedIDs == expected.deleted)
        #expect(snapshot.deletedCount == expected.deleted_count)
        #expect(snapshot.segments.count == expected.directory_entries)
        let types = Dictionary(grouping: snapshot.segments, by: \.type.rawValue)
        #expect(types.map { [String($0.key): $0.value.count] }.reduce(into: [:]) { $0.merge($1) { $1 } } == expected.entries_by_type)
        #expect(snapshot.identity.map { hexadecimal($0.fileID) } == expected.identity?.file_id)
        #expect(snapshot.identity.map { hexadecimal($0.parentID) } == expected.identity?.parent_id)
        #expect(snapshot.identity.map { hexadecimal($0.parentHash) } == expected.identity?.parent_hash)
        #expect(snapshot.identity?.lineageDepth == expected.identity?.lineage_depth)
        #expect(snapshot.rejectedManifests.isEmpty)
    }

    @Test("every row of every store of the corpus can be read", arguments: StoreCorpus.stores, [ReadMode.mapped, .positional])
    func rowsCanBeRead(_ name: String, _ mode: ReadMode) throws {
        let expected = try StoreCorpus.expectation(name)
        var options = ReaderOptions()
        options.readMode = mode
        let reader = try StoreReader(at: StoreCorpus.path(name), options: options)
        let snapshot = reader.snapshot()
        let ids = try snapshot.ids()
        #expect(ids.count == expected.live_vectors)
        #expect(zlibChecksum(ids.flatMap { little($0, 8) }) == expected.ids_crc32)
        #expect(Array(ids.prefix(5)) == expected.first_ids)
        #expect(Array(ids.suffix(5)) == expected.last_ids)
        #expect(try snapshot.damages().isEmpty)
        // Whatever metadata there is can be read.
        #expect(try snapshot.ids(where: .everything) == ids)

        let reference = try ReferenceStore(StoreCorpus.bytes(name))
        #expect(try reader.rows() == reference.rows)
        for id in expected.first_ids + expected.last_ids {
            #expect(try snapshot.vector(id: id) == reference.rows[id])
        }
        for id in expected.deleted { #expect(try snapshot.vector(id: id) == nil) }
    }

    @Test("the nearest neighbours of the corpus come out of the rows as read", arguments: StoreCorpus.stores)
    func neighbours(_ name: String) throws {
        let expected = try StoreCorpus.expectation(name)
        let rows = try StoreReader(at: StoreCorpus.path(name)).rows()
        for case let neighbours in (expected.knn ?? []).prefix(1) {
            let row = try #require(rows[neighbours.query_id])
            let query = row.indices.map { Double(row[$0] + Float(0.01) * Float($0 % 7 - 3)) }
            let nearest = rows.map { (id: $0.key, distance: squaredDistance(query, $0.value)) }
                .sorted { ($0.distance, $0.id) < ($1.distance, $1.id) }.prefix(neighbours.k)
            let answers = try #require(neighbours.answers["l2"])
            #expect(nearest.map { Double($0.id) } == answers.map { $0[0] })
            for (found, answer) in zip(nearest, answers) {
                #expect(abs(found.distance - answer[1]) <= 1e-5 * max(1, answer[1]))
            }
        }
    }

    private func squaredDistance(_ left: [Double], _ right: [Float]) -> Double {
        zip(left, right).reduce(0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) }
    }
}

@Suite("Writing to stores of the reference runtime", .enabled(if: StoreCorpus.isPresent, "\(StoreCorpus.whereToGetIt)"))
struct CorpusWritingTests {
    private let scratch = Scratch()

    @Test("every store of the corpus takes an append, and stays readable by the reference runtime", arguments: StoreCorpus.stores)
    func append(_ name: String) throws {
        let original = try StoreCorpus.bytes(name)
        let before = try ReferenceStore(original)
        let path = try scratch.write(original)
        var writer = try StoreWriter.open(at: path)
        #expect(try scratch.read() == original)
        let new = rows([before.rows.keys.min() ?? 1, 1 << 40], dimension: before.dimension)
        try writer.append(batch(new))
        try writer.close()

        let file = try scratch.read()
        let after = try ReferenceStore(file)
        let expected = before.rows.merging(dictionary(new)) { $1 }
        #expect(Array(file.prefix(original.count)) == original)
        #expect(after.rows == expected)
        #expect(after.fileID == before.fileID && after.epoch == before.epoch + 1 && after.profile == before.profile)
        #expect(after.total == UInt64(after.distinctCount))
        // Ids of which there is no row, or none any more, leave the list.
        #expect(Set(after.deleted).isSubset(of: before.deleted))
        // Superseded manifests and witnesses are not named any more, and vectors are where they were or in a segment
        // that took their place; everything else is named as it was.
        #expect(after.entries.filter { $0.type != 1 } == before.entries.filter { ![1, 5, 10].contains($0.type) })
        #expect(try StoreReader(at: path).rows() == expected)
    }

    @Test("the witnesses of the corpus are chained by the hash of the format")
    func witnesses() throws {
        var links = 0
        for name in StoreCorpus.stores {
            let file = try StoreCorpus.bytes(name)
            var hashes: Set<WitnessHash> = [.none]
            var offset = 0
            while offset + 64 <= file.count, let header = SegmentHeader(Array(file[offset..<(offset + 64)]).bytes) {
                let payload = Array(file[(offset + 64)..<(offset + 64 + Int(header.payloadByteCount))])
                if header.type == .witness {
                    let witness = try WitnessPayload(payload.bytes)
                    #expect(witness.encoded == payload)
                    // Compaction carries witnesses over in another order than they were written in.
                    if hashes.contains(witness.previousHash), witness.previousHash != .none { links += 1 }
                    hashes.insert(WitnessHash(hashing: payload.bytes))
                }
                offset += 64 + payload.count
            }
        }
        #expect(links > 20)
    }

    @Test("a child's parent hash is the hash over its parent's end")
    func lineage() throws {
        let parent = try StoreCorpus.bytes("lineage_parent.rvf")
        let child = try StoreReader(at: StoreCorpus.path("lineage_child.rvf")).snapshot()
        let tail = Array(parent.suffix(WitnessHash.parentTailByteCount))
        #expect(child.identity?.parentHash == WitnessHash(hashing: tail.bytes).bytes)
        #expect(child.identity?.parentID == (try StoreReader(at: StoreCorpus.path("lineage_parent.rvf")).snapshot().identity?.fileID))
    }
}
