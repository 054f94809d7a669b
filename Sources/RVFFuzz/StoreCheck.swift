import RVFConformance
import RVFHost
import RVFLock
import RVFReference
import RVFStore
import SystemPackage

/// What must hold of a file, whatever it holds. What can be read of it must mean the same to every reader, and in every
/// file that is made of it.
struct StoreCheck {
    private let directory: FuzzDirectory
    private let file: [UInt8]
    private let path: FilePath
    private let report: VerificationReport
    /// Nil where the store cannot be opened.
    private var snapshot: Snapshot?
    /// Those that can be read.
    private var rows: [UInt64: [UInt32]] = [:]
    /// Nil where not all of it can be read.
    private var meaning: StoreMeaning?

    static func run(_ file: [UInt8]) throws {
        try FuzzDirectory.withDirectory { directory in
            var check = try StoreCheck(file, in: directory)
            try check.read()
            try check.askOthers()
            try check.repair()
            try check.copy()
            try FuzzFailure.unless(try directory.read("data.rvf") == file, "reading changed the file")
            try check.replace()
            try check.write()
        }
    }

    private init(_ file: [UInt8], in directory: FuzzDirectory) throws {
        self.directory = directory
        self.file = file
        path = directory.path("data.rvf")
        try directory.write(file, to: "data.rvf")
        report = try StoreVerification.run(at: path)
    }

    // MARK: Reading

    private mutating func read() throws {
        var all: [[UInt64: [UInt32]]] = []
        for mode in [ReadMode.positional, .mapped] {
            var options = ReaderOptions()
            options.readMode = mode
            let reader: StoreReader
            do throws(StoreError) {
                reader = try StoreReader(at: path, options: options)
            } catch {
                try FuzzFailure.unless(error.description.contains(path.string), "a message without the path: \(error)")
                return try FuzzFailure.unless(!report.isIntact, "an intact store cannot be opened: \(error)")
            }
            let snapshot = reader.snapshot()
            let rows = try StoreMeaning.rows(of: snapshot, onDamage: .passOver)
            let damages = try snapshot.damages()
            try FuzzFailure.unless(damages.isEmpty || !report.isIntact, "an intact store is damaged: \(damages)")
            for id in rows.keys.prefix(4) where damages.isEmpty {
                let found = try snapshot.vector(id: id)?.map(\.bitPattern)
                try FuzzFailure.unless(found == rows[id], "row \(id) is found as \(found ?? [])")
            }
            StoreUse.look(snapshot, Array(rows.keys.prefix(4)))
            all.append(rows)
            self.snapshot = snapshot
        }
        try FuzzFailure.unless(all[0] == all[1], "mapped and by calls, other rows are read")
        rows = all[0]
        guard let snapshot else { return }
        do {
            meaning = try StoreMeaning(snapshot)
        } catch {
            try FuzzFailure.unless(!report.isIntact, "an intact store cannot be read: \(error)")
        }
    }

    /// Another reader takes stores that are intact, with a few of their features, for the same.
    private func askOthers() throws {
        let findings = try StoreConformance.run(at: path, options: WorkOptions())
        try FuzzFailure.unless((findings.damageCount > 0) == !report.isIntact, "checks differ on whether it is damaged")
        guard report.isIntact, let meaning, let oracle = try? ReferenceStore(file),
            oracle.manifestOffset == report.manifestOffset.map({ Int($0) }) ?? -1,
            // It knows nothing of versions.
            oracle.entries.allSatisfy({ file[$0.offset + 4] == SegmentHeader.currentVersion })
        else { return }
        let rows = oracle.rows.mapValues { $0.map(\.bitPattern) }
        try FuzzFailure.unless(rows == meaning.rows, "another reader reads \(rows), not \(meaning.rows)")
    }

    // MARK: Files made of it

    /// A repair leaves a store in which all can be read; of an intact one, all rows that are numbers.
    private func repair() throws {
        let output = directory.path("repaired.rvf")
        let outcome: RepairReport
        do throws(StoreError) {
            outcome = try StoreRepair.run(from: path, to: output)
        } catch {
            return try FuzzFailure.unless(!report.isIntact, "an intact store cannot be repaired: \(error)")
        }
        let damages = try StoreVerification.run(at: output).problems.filter { $0.severity == .damage }
        try FuzzFailure.unless(damages.isEmpty, "the repaired store is damaged: \(damages)")
        guard report.isIntact, let meaning else { return }
        let finite = meaning.rows.filter { $0.value.allSatisfy { Float(bitPattern: $0).isFinite } }
        var expected = try meaning.keeping(finite.keys)
        let saved = try self.meaning(of: "repaired.rvf")
        expected.epoch = meaning.epoch == .max ? .max : meaning.epoch + 1
        expected.identity = meaning.identity ?? saved.identity
        expected.deletedIDs = []
        expected.checkpoints = []
        guard finite.count == meaning.rows.count else {
            // Of the others, older rows may come back.
            return try expected.expect(saved.keeping(finite.keys), "repaired")
        }
        try expected.expect(saved, "repaired")
        try expected.expectOfOthers(
            directory.read("repaired.rvf"), isBound: outcome.carriedSegmentCount == 0, "repaired")
    }

    private func copy() throws {
        guard let meaning, let snapshot else { return }
        if (try? snapshot.backup(to: directory.path("copy.rvf"))) != nil {
            try FuzzFailure.unless(try file.starts(with: directory.read("copy.rvf")), "a backup has other bytes")
            try meaning.expect(self.meaning(of: "copy.rvf"), "backup")
        }
        guard let identity = try? snapshot.derive(to: directory.path("child.rvf")) else { return }
        let parent = meaning.identity
        let isDescendant = identity.parentID == parent?.fileID ?? [UInt8](repeating: 0, count: 16)
            && identity.lineageDepth == (parent?.lineageDepth ?? 0).addingReportingOverflow(1).partialValue
        try FuzzFailure.unless(
            isDescendant || parent?.lineageDepth == .max, "\(identity) is no child of \(parent.debugDescription)")
        var expected = meaning
        expected.epoch = 1
        expected.identity = identity
        expected.deletedIDs = []
        expected.checkpoints = []
        try expected.expect(self.meaning(of: "child.rvf"), "derived")
        try expected.expectOfOthers(directory.read("child.rvf"), isBound: true, "derived")
    }

    /// What is in the way of a new store is moved aside only where it is none.
    private func replace() throws {
        let path = directory.path("taken.rvf")
        try directory.write(file, to: "taken.rvf")
        var options = WriterOptions()
        options.lock.renewal = .manual
        options.replacesDamaged = true
        do throws(StoreError) {
            try StoreWriter.create(at: path, dimension: 2, options: options).close()
        } catch {
            return try FuzzFailure.unless(try directory.read("taken.rvf") == file, "a file that stays was changed")
        }
        try FuzzFailure.unless(snapshot == nil, "a store was replaced")
        try FuzzFailure.unless(try directory.read("taken.rvf.damaged-1") == file, "what was moved aside was changed")
    }

    // MARK: Writing

    /// The next commit adds what it adds and leaves the rest; a compaction leaves all.
    private func write() throws {
        guard let snapshot else { return }
        let vector = (0..<snapshot.dimension).map { Float($0) }
        do throws(StoreError) {
            var writer = try StoreUse.open(path)
            var transaction = Transaction()
            transaction.upsert([Row(id: 77, vector: vector)])
            try writer.commit(transaction)
        } catch {
            // What is damaged, or at its limits, can refuse.
            return
        }
        guard report.isIntact, let meaning else { return try expectRows(with: vector) }
        let found = try self.meaning(of: "data.rvf")
        var expected = meaning
        expected.epoch = found.epoch
        expected.identity = meaning.identity ?? found.identity
        // Those without a row go off the list.
        expected.deletedIDs = meaning.deletedIDs.filter { $0 != 77 && found.deletedIDs.contains($0) }
        var others = try found.keeping(meaning.rows.keys)
        expected.rows[77] = vector.map(\.bitPattern)
        others.rows[77] = found.rows[77]
        try expected.expect(others, "after a commit")
        try compact(found)
    }

    /// Of a damaged store, at least the rows that could be read can be read on.
    private func expectRows(with vector: [Float]) throws {
        var expected = rows
        expected[77] = vector.map(\.bitPattern)
        let found = try StoreMeaning.rows(of: StoreReader(at: path).snapshot(), onDamage: .passOver)
        try FuzzFailure.unless(found == expected, "after a commit there are \(found), not \(expected)")
    }

    private func compact(_ meaning: StoreMeaning) throws {
        let before = try directory.read("data.rvf")
        let outcome: CompactionReport
        do throws(StoreError) {
            var writer = try StoreUse.open(path)
            outcome = try writer.compact(WorkOptions())
        } catch {
            return try FuzzFailure.unless(try directory.read("data.rvf") == before, "a compaction that failed left traces")
        }
        let found = try self.meaning(of: "data.rvf")
        var expected = meaning
        // Beyond those of commits that failed.
        try FuzzFailure.unless(found.epoch > meaning.epoch, "epoch \(found.epoch) after \(meaning.epoch)")
        expected.epoch = found.epoch
        expected.deletedIDs = []
        try expected.expect(found, "compacted")
        try expected.expectOfOthers(
            directory.read("data.rvf"), isBound: outcome.carriedSegmentCount == 0, "compacted")
    }

    private func meaning(of name: String) throws -> StoreMeaning {
        try StoreMeaning(StoreReader(at: directory.path(name)).snapshot())
    }
}
