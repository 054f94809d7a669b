import Foundation
import RVFHost
import RVFTestSupport
import SystemPackage
import Testing

@testable import RVFLock

/// Hand-over between two simulated processes, each on a thread, over a real socket pair.
@Suite struct HandOverTests {
    struct Result: Sendable {
        var outcome: TestLock.HandOverOutcome?
        var handOverError: LockError?
        var adopted: TestLock?
        var adoptError: LockError?
    }

    /// Two connected Unix sockets.
    private func socketPair() throws -> (FileDescriptor, FileDescriptor) {
        var ends: [Int32] = [-1, -1]
        #if os(Linux)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        guard unsafe socketpair(AF_UNIX, stream, 0, &ends) == 0 else { throw Errno(rawValue: errno) }
        return (FileDescriptor(rawValue: ends[0]), FileDescriptor(rawValue: ends[1]))
    }

    /// Runs both sides to their ends. Each side's socket is closed when it is through, as the library asks.
    private func run(
        _ lock: TestLock, to successor: Simulated, _ path: FilePath
    ) async throws -> Result {
        let (ours, theirs) = try socketPair()
        let result = Box(Result())
        await RegistryTests.onThreads(2) { index in
            do throws(LockError) {
                if index == 0 {
                    defer { try? ours.close() }
                    result.value.outcome = try lock.handOver(over: ours)
                } else {
                    defer { try? theirs.close() }
                    result.value.adopted = try TestLock.adopt(
                        host: successor.host, registry: successor.registry, protecting: path, over: theirs,
                        // A machine under load comes to the first renewal before the test has looked.
                        options: LockOptions(renewal: .manual, observer: { successor.events.append($0) }))
                }
            } catch {
                if index == 0 { result.value.handOverError = error } else { result.value.adoptError = error }
            }
        }
        return result.value
    }

    @Test("A lock is handed over with its writer id and its kernel locks", arguments: Profile.allCases, [true, false])
    func works(profile: Profile, hasData: Bool) async throws {
        let scene = try Scene(hasData: hasData)
        let first = Simulated(prepare: profile.apply)
        let second = Simulated(prepare: profile.apply)
        let lock = try first.acquire(scene.data)
        let result = try await run(lock, to: second, scene.data)
        #expect(result.outcome == .handedOver)
        let adopted = try #require(result.adopted)
        #expect(adopted.writerID == lock.writerID)
        #expect(adopted.isValid)
        let record = try #require(Files.record(scene.lock))
        #expect(record.processID == UInt32(second.id))
        #expect(record.writerID == lock.writerID)
        #expect(lock.validationError == .handedOver(scene.data))
        #expect(!lock.isHeld)
        #expect(first.events.all.last == .handedOver)
        #expect(second.events.all == [.adopted(lock.writerID)])
        let release = lock.releaseError
        #expect(release == nil)
        #expect(adopted.isValid, "the predecessor's release touches nothing")
        if profile != .remote {
            let isRefused = Simulated(prepare: profile.apply).acquireError(scene.data) != nil
            #expect(isRefused)
        }
        try adopted.release()
        #expect(scene.directory.names == (hasData ? ["data.rvf"] : []))
        #expect(first.script.openDescriptors.count == 1 && second.script.openDescriptors.count == 1)
        #expect(first.script.wrongCloses.isEmpty && second.script.wrongCloses.isEmpty)
    }

    @Test("A successor that asks for another file, or holds one already, is refused and the lock kept")
    func refused() async throws {
        let scene = try Scene()
        let other = try Scene()
        let first = Simulated()
        let lock = try first.acquire(scene.data)
        let second = Simulated()
        let result = try await run(lock, to: second, other.data)
        guard case .kept(let why) = result.outcome, case .handOverFailed = result.adoptError else {
            Issue.record("\(result)")
            return
        }
        #expect(why.contains("refused"))
        #expect(lock.isValid)
        #expect(second.script.openDescriptors.isEmpty)
        // To itself.
        let again = try await run(lock, to: first, scene.data)
        guard case .kept = again.outcome, again.adopted == nil else {
            Issue.record("\(again)")
            return
        }
        #expect(lock.isValid)
        try lock.release()
        #expect(scene.directory.names == ["data.rvf"])
    }

    @Test("Whichever call of the successor fails, exactly one of the two holds the lock", arguments: [Errno.ioError, .tooManyOpenFiles])
    func successorFails(error: Errno) async throws {
        for index in 0..<100 {
            let scene = try Scene()
            let (first, second) = (Simulated(), Simulated())
            let lock = try first.acquire(scene.data)
            let failed = Box<HostScript.Call?>(nil)
            second.script.intercept { call in
                guard call.index == index else { return nil }
                failed.value = call
                return error
            }
            let result = try await run(lock, to: second, scene.data)
            second.script.intercept(nil)
            guard let call = failed.value else { return }
            let context: Comment = "call \(index) \(call.kind) \(call.name?.string ?? "")"
            let holders = [lock.isValid, result.adopted?.isValid ?? false].filter { $0 }
            #expect(holders.count == 1, "\(result.outcome.debugDescription) \(context)")
            let record = Files.bytes(scene.lock).map { LockRecordReading($0) }
            #expect(record?.problems.isEmpty == true, context)
            #expect(record?.record?.processID == UInt32(lock.isValid ? first.id : second.id), context)
            try? lock.release()
            try? result.adopted?.release()
            #expect(scene.directory.names == ["data.rvf"], context)
            #expect(second.script.openDescriptors.count <= 1 && first.script.openDescriptors.count <= 1, context)
        }
        Issue.record("no end of calls")
    }

    @Test("Whichever call of the predecessor fails, there are never two holders, and none is left stuck", arguments: [Errno.ioError])
    func predecessorFails(error: Errno) async throws {
        for index in 0..<100 {
            let scene = try Scene()
            let (first, second) = (Simulated(), Simulated())
            let lock = try first.acquire(scene.data)
            first.script.reset()
            let failed = Box<HostScript.Call?>(nil)
            first.script.intercept { call in
                guard call.index == index else { return nil }
                failed.value = call
                return error
            }
            let result = try await run(lock, to: second, scene.data)
            first.script.intercept(nil)
            guard let call = failed.value else { return }
            let context: Comment = "call \(index) \(call.kind) \(call.name?.string ?? "")"
            let holders = [lock.isValid, result.adopted?.isValid ?? false].filter { $0 }
            #expect(holders.count <= 1, context)
            try? lock.release()
            try? result.adopted?.release()
            let next = Simulated().acquireError(scene.data)
            #expect(next == nil, context)
            #expect(first.script.openDescriptors.count <= 1, context)
        }
        Issue.record("no end of calls")
    }

    @Test("A byte at a time it works as well")
    func shortTransfers() async throws {
        let scene = try Scene()
        let (first, second) = (Simulated { $0.mostBytesAtOnce = 1 }, Simulated { $0.mostBytesAtOnce = 1 })
        let lock = try first.acquire(scene.data)
        let result = try await run(lock, to: second, scene.data)
        #expect(result.outcome == .handedOver)
        #expect(result.adopted?.isValid == true)
    }

    @Test("Whatever arrives that is no hand-over is refused", arguments: 0..<6)
    func garbage(kind: Int) async throws {
        let scene = try Scene()
        let (ours, theirs) = try socketPair()
        let host = POSIXHost()
        let stray = try FileDescriptor.open(scene.data, .readOnly)
        let record = Peer.record().recordBytes()
        var message = HandOverMessage.encode(record, hasProtectedFile: kind == 1)
        var descriptors = [stray]
        switch kind {
        case 0: message[0] = 0
        case 1: descriptors = [stray]
        case 2: message[4] = 9
        case 3: message = Array(message.prefix(60))
        case 4: descriptors = []
        default: descriptors = [stray, stray, stray]
        }
        _ = try host.send(ours, message, descriptors: descriptors)
        try stray.close()
        let second = Simulated()
        if kind == 3 { shutdown(ours.rawValue, Int32(SHUT_WR)) }
        do throws(LockError) {
            _ = try TestLock.adopt(
                host: second.host, registry: second.registry, protecting: scene.data, over: theirs,
                options: LockOptions())
            Issue.record("adopted")
        } catch {
            guard case .handOverFailed = error else {
                Issue.record("\(error)")
                return
            }
        }
        #expect(second.script.openDescriptors.isEmpty)
        try theirs.close()
        try ours.close()
        let next = second.acquireError(scene.data)
        #expect(next == nil)
    }
}
