import RVFHost
import RVFSimulation
import RVFTestSupport
import Synchronization
import SystemPackage
import Testing

/// The simulated system beside the real one: the same calls give the same answers.
@Suite("The simulated system")
struct SimulatedFileSystemTests {
    private enum Call: CaseIterable {
        case create, createExclusively, openExisting, unnamed, linkUnnamed, close, write, read, truncate
        case link, rename, renameExclusively, exchange, unlink, lock, examine, list
    }

    /// Makes random calls, and says what each gave.
    private struct Caller<H: Host> {
        let host: H
        let directory: FileDescriptor
        var open: [FileDescriptor] = []
        /// Inode numbers in the order in which they were first seen.
        var known: [UInt64] = []

        private let names: [FilePath] = ["a", "b", "c"]

        mutating func make(_ call: Call, _ random: inout SplitMix64) -> String {
            let name = names.randomElement(using: &random)!
            let other = names.randomElement(using: &random)!
            let position = open.isEmpty ? nil : Int.random(in: 0..<open.count, using: &random)
            let offset = Int64.random(in: 0..<40, using: &random)
            let byte = UInt8.random(in: 1...255, using: &random)
            do throws(Errno) {
                return try perform(call, name, other, position, offset, byte)
            } catch {
                return "\(error)"
            }
        }

        private mutating func perform(
            _ call: Call, _ name: FilePath, _ other: FilePath, _ position: Int?, _ offset: Int64, _ byte: UInt8
        ) throws(Errno) -> String {
            let mode = FilePermissions(rawValue: 0o600)
            switch call {
            case .create:
                return opened(try host.open(name, in: directory, .readWrite, options: .create, permissions: mode))
            case .createExclusively:
                return opened(
                    try host.open(
                        name, in: directory, .readWrite, options: [.create, .exclusiveCreate], permissions: mode))
            case .openExisting:
                return opened(try host.open(name, in: directory, .readWrite, options: [], permissions: mode))
            case .unnamed: return opened(try host.openUnnamed(in: directory, permissions: mode))
            case .list: return try list()
            case .link: try host.link(name, as: other, in: directory)
            case .rename: try host.rename(name, to: other, in: directory)
            case .renameExclusively: try host.renameExclusively(name, to: other, in: directory)
            case .exchange: try host.exchange(name, other, in: directory)
            case .unlink: try host.unlink(name, in: directory)
            default:
                guard let position else { return "nothing is open" }
                return try performOnFile(call, open[position], position, name, offset, byte)
            }
            return "done"
        }

        private mutating func performOnFile(
            _ call: Call, _ file: FileDescriptor, _ position: Int, _ name: FilePath, _ offset: Int64, _ byte: UInt8
        ) throws(Errno) -> String {
            switch call {
            case .linkUnnamed:
                // Files that have, or had, a name answer differently from system to system.
                guard try host.status(of: file).linkCount == 0 else { return "has a name" }
                try host.linkUnnamed(file, as: name, in: directory)
            case .close:
                host.close(file)
                open.remove(at: position)
            case .write: return try write([UInt8](repeating: byte, count: 5), file, offset)
            case .read: return try read(file, offset)
            case .truncate: try host.truncate(file, toBytes: offset)
            case .lock: return "\(try host.tryLock(file))"
            case .examine:
                let status = try host.status(of: file)
                return "\(status.sizeBytes) bytes, \(status.linkCount) links, \(status.kind)"
            default: return "no call on a file"
            }
            return "done"
        }

        private mutating func opened(_ file: FileDescriptor) -> String {
            open.append(file)
            return "opened"
        }

        private func list() throws(Errno) -> String {
            let reading = try host.open(".", in: directory, .readOnly, options: .directory, permissions: [])
            defer { host.close(reading) }
            return try host.names(in: reading).map(\.string).sorted().joined(separator: " ")
        }

        private func write(_ bytes: [UInt8], _ file: FileDescriptor, _ offset: Int64) throws(Errno) -> String {
            let result: Result<Int, Errno> = unsafe bytes.withUnsafeBytes { buffer in
                do throws(Errno) {
                    // The array is alive for the call.
                    return .success(try unsafe host.write(file, from: buffer, at: offset))
                } catch {
                    return .failure(error)
                }
            }
            return "\(try result.get())"
        }

        private func read(_ file: FileDescriptor, _ offset: Int64) throws(Errno) -> String {
            var bytes = [UInt8](repeating: 0, count: 30)
            let result: Result<Int, Errno> = unsafe bytes.withUnsafeMutableBytes { buffer in
                do throws(Errno) {
                    // The array is alive for the call.
                    return .success(try unsafe host.read(file, into: buffer, at: offset))
                } catch {
                    return .failure(error)
                }
            }
            return "\(bytes.prefix(try result.get()))"
        }
    }

    private final class Found: Sendable {
        let answers = Mutex<[String]>([])
    }

    private func answers<H: Host>(_ host: H, at path: FilePath, seed: UInt64) throws -> [String] {
        var random = SplitMix64(seed: seed)
        var caller = Caller(host: host, directory: try host.openDirectory(path))
        defer { for file in caller.open + [caller.directory] { host.close(file) } }
        return (0..<300).map { _ in
            let call = Call.allCases.randomElement(using: &random)!
            return "\(call): \(caller.make(call, &random))"
        }
    }

    @Test("random calls give what the real system gives", arguments: UInt64(1)...30)
    func differential(_ seed: UInt64) throws {
        let real = try TemporaryDirectory()
        let expected = try answers(POSIXHost(), at: real.path, seed: seed)
        let found = Found()
        let world = Explorer.alone(Scene.state(.noLock, hasData: false)) { host in
            let answers = (try? self.answers(host, at: FilePath(Scene.directory), seed: seed)) ?? []
            found.answers.withLock { $0 = answers }
        }
        #expect(world.violation == nil)
        #expect(found.answers.withLock { $0 } == expected, "seed \(seed)")
    }

    @Test("a killed process's locks and descriptors are gone, and its files stay")
    func killing() async {
        // The explorer kills A at every step; the newcomers of the scenario's end then have to get the lock.
        let scenario = Scenario(
            "a kill", Scene.state(.noLock, budget: Budget(kills: 1)), [LockActors.writer("A", work: .renewAndCommit)])
        let report = await aside { Explorer().explore(scenario) }
        #expect(report.isComplete)
        report.expectNothingFound(in: scenario)
    }
}
