import Foundation
import RVFHost
import RVFLock
import RVFStore
import RVFTestSupport
import SystemPackage
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

#if os(Linux) || os(macOS)
    /// What processes leave that are killed while they make a file, and who removes it.
    @Suite("What killed processes leave")
    struct LeftoverTests {
        private let scratch = Scratch()
        private var path: FilePath { scratch("data.rvf") }
        private var output: FilePath { scratch("elsewhere").appending("out.rvf") }

        /// Does a piece of work in this process, and dies before its first call of a kind.
        ///
        /// - Parameter named: whether the file system knows no files without names.
        private static func die(in work: String, before kind: String, _ path: String, _ output: String, named: Bool) throws {
            let host = FaultyHost(base: POSIXHost())
            if named { host.script.update { $0.unsupported[.openUnnamed] = .notSupported } }
            let kill: HostScript.Interceptor = { call in
                if call.kind.rawValue == kind { Self.killThisProcess() }
                return nil
            }
            var options = WriterOptions()
            options.lock.renewal = .manual
            switch work {
            case "create":
                // The lock's own writes come first.
                host.script.intercept(kill)
                _ = try StoreWriterCore.create(
                    host: host, registry: LockRegistry(), path: FilePath(output), dimension: 3, metric: .squaredL2,
                    options: options)
            case "compact":
                var writer = try StoreWriterCore.open(
                    host: host, registry: LockRegistry(), path: FilePath(path), options: options)
                host.script.intercept(kill)
                _ = try writer.compact(WorkOptions())
            case "repair":
                host.script.intercept(kill)
                _ = try StoreRepair.run(
                    host: host, from: FilePath(path), to: FilePath(output), options: RepairOptions())
            default:
                let reader = try StoreReaderCore(host: host, path: FilePath(path), options: ReaderOptions())
                host.script.intercept(kill)
                if work == "backup" {
                    _ = try reader.snapshot.backup(to: FilePath(output), options: WorkOptions())
                } else {
                    _ = try reader.snapshot.derive(to: FilePath(output), options: WorkOptions())
                }
            }
        }

        private static func killThisProcess() {
            kill(getpid(), SIGKILL)
        }

        private func store() throws {
            try FileManager.default.createDirectory(
                atPath: scratch("elsewhere").string, withIntermediateDirectories: true)
            var writer = try StoreWriter.create(at: path, dimension: 3)
            try writer.append(batch(rows(1...20, dimension: 3)))
            try writer.delete(ids: [3])
            try writer.close()
        }

        /// The private files in a store's directory.
        private func leftovers(beside path: FilePath) throws -> [FilePath] {
            let directory = path.removingLastComponent()
            return try FileManager.default.contentsOfDirectory(atPath: directory.string)
                .filter { $0.hasPrefix(".rvf-") }.map { directory.appending($0) }
        }

        /// Opens and closes a store for writing, as another process that comes later does.
        private func openForWriting(_ path: FilePath) throws {
            var options = WriterOptions()
            options.lock.renewal = .manual
            _ = try StoreWriterCore.open(host: POSIXHost(), registry: LockRegistry(), path: path, options: options)
        }

        private func age(_ path: FilePath, seconds: Double = 31) throws {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -seconds)], ofItemAtPath: path.string)
        }

        @Test("a compaction's private file goes with the next writer of the store, once it is old", arguments: [
            "write", "copyMetadata", "sync", "rename",
        ])
        func compaction(_ kind: String) async throws {
            try store()
            let (text, out) = (path.string, output.string)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [text = text as String, out = out as String, kind = kind as String] in
                try LeftoverTests.die(in: "compact", before: kind, text, out, named: true)
            }
            let left = try leftovers(beside: path)
            #expect(left.count == 1)
            // Of a time to come, since nobody knows how long the process took to die.
            for file in left { try age(file, seconds: -3600) }
            try openForWriting(path)
            #expect(try leftovers(beside: path) == left, "it may belong to somebody at work")
            for file in left { try age(file) }
            try openForWriting(path)
            #expect(try leftovers(beside: path).isEmpty)
            #expect(try StoreReader(at: path).rows() == dictionary(rows(1...20, dimension: 3)).filter { $0.key != 3 })
        }

        @Test(
            "a new store's private file goes with the first writer of that store, and does not keep it from being made",
            arguments: ["create", "backup", "derive", "repair"], ["syncData", "sync", "renameExclusively"])
        func newFiles(_ work: String, _ kind: String) async throws {
            // The one writes with the one, the others with the other; of the lock's file, only the store's is meant.
            if (work == "create") != (kind == "syncData") { return }
            try store()
            let (text, out) = (path.string, output.string)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [text = text as String, out = out as String, kind = kind as String, work = work as String] in
                try LeftoverTests.die(in: work, before: kind, text, out, named: true)
            }
            #expect(!FileManager.default.fileExists(atPath: out))
            let left = try leftovers(beside: output)
            #expect(left.count == 1)
            for file in left { try age(file) }
            // Writers of the store that it was to be a copy of have nothing to do with it.
            try openForWriting(path)
            #expect(try leftovers(beside: output) == left)
            try StoreReader(at: path).backup(to: output)
            try openForWriting(output)
            #expect(try leftovers(beside: output).isEmpty)
            #expect(try StoreReader(at: output).rows().count == 19)
        }

        @Test("where files need no name before they are complete, nothing is left", arguments: [
            "create", "backup", "derive", "repair",
        ])
        func unnamed(_ work: String) async throws {
            try store()
            let probe = try LockSite(host: POSIXHost(), path: path)
            guard let file = try? POSIXHost().openUnnamed(in: probe.directory, permissions: .ownerReadWrite) else { return }
            POSIXHost().close(file)
            let (text, out) = (path.string, output.string)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [text = text as String, out = out as String, work = work as String] in
                try LeftoverTests.die(in: work, before: work == "create" ? "syncData" : "sync", text, out, named: false)
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: output.removingLastComponent().string)
            #expect(names.filter { !$0.hasSuffix(".lock") } == [])
        }
    }
#endif
