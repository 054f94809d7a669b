import Foundation
import RVFHost
import RVFTestSupport
import Subprocess
import Synchronization
import SystemPackage
import Testing

@Suite("Hand-over")
final class HandOverTests: Sendable {
    private let directory: TemporaryDirectory
    private var file: FilePath { directory.file("data.rvf") }
    private var socket: FilePath { directory.file("s") }

    init() throws { directory = try TemporaryDirectory() }

    private var hold: [String] { ["lock", "hold", file.string, "--hand-over", socket.string] }
    private var adopt: [String] { ["lock", "adopt", file.string, "--from", socket.string] }

    @Test("the lock changes hands while a contender tries all the time and never gets it")
    func contender() async throws {
        var id: String?
        var successorsID: String?
        let predecessor = try await Command.run(hold) { holder in
            id = try await holder.line()
            let contender = Contender(for: file)
            try await contender.awaitAttempts(2)
            _ = try await Command.run(adopt) { adopter in
                successorsID = try await adopter.line()
                #expect(try await holder.line() == "handed over")
                try await contender.awaitAttempts(2)
                try await contender.stop()
                try adopter.send(.terminate)
            }
        }
        #expect(predecessor.code == 0)
        #expect(predecessor.lines.last == "handed over")
        #expect(successorsID == id)
        #expect(directory.names.isEmpty)
    }

    @Test("an adopter of another file is refused, and the holder goes on holding and listening")
    func refusal() async throws {
        let result = try await Command.run(hold) { holder in
            _ = try await holder.line()
            let wrong = try await Command.run([
                "lock", "adopt", directory.file("other.rvf").string, "--from", socket.string, "--json",
            ])
            #expect(wrong.code == 1)
            #expect(wrong.jsonError["code"] as? String == "handOverFailed")
            let contender = try await Command.run(["lock", "hold", file.string, "--seconds", "0"])
            #expect(contender.code == 3)
            let right = try await Command.run(adopt + ["--seconds", "0"])
            #expect(right.code == 0)
        }
        #expect(result.code == 0)
        #expect(result.lines.last == "handed over")
        #expect(result.errors.contains("still held"))
        #expect(directory.names.isEmpty)
    }

    @Test("a visitor that goes without a word takes nothing along")
    func silentVisitor() async throws {
        let result = try await Command.run(hold) { holder in
            _ = try await holder.line()
            let visitor = try POSIXHost().connect(to: socket)
            // The hand-over has begun, and the lock and the file are on their way.
            let arrived = try POSIXHost().receive(visitor, atMostBytes: 256)
            #expect(arrived.descriptors.count == 1)
            for descriptor in arrived.descriptors { POSIXHost().close(descriptor) }
            POSIXHost().close(visitor)
            let status = try await Command.run(["lock", "status", file.string, "--json"])
            #expect(status.json["state"] as? String == "held")
            // It listens again once it holds again.
            POSIXHost().close(try POSIXHost().connect(to: socket))
            try await Task.sleep(for: .milliseconds(400))
            try holder.send(.terminate)
        }
        #expect(result.code == 0)
        #expect(result.lines.last == "released")
        #expect(directory.names.isEmpty)
    }

    @Test("a socket that a killed holder left behind is no obstacle, but any other file there is")
    func leftovers() async throws {
        _ = try await Command.run(hold) { holder in
            _ = try await holder.line()
            try holder.send(.kill)
        }
        #expect(directory.names == ["data.rvf.lock", "s"])
        let again = try await Command.run(hold + ["--seconds", "0"])
        #expect(again.code == 0)
        #expect(directory.names.isEmpty)
        try directory.write([1], to: "s")
        let blocked = try await Command.run(hold + ["--seconds", "0"])
        #expect(blocked.code == 1)
        #expect(directory.names == ["s"])
    }

    @Test("adopting from where nobody listens fails and leaves nothing")
    func nobody() async throws {
        let result = try await Command.run(adopt + ["--json"])
        #expect(result.code == 1)
        #expect(result.jsonError["code"] as? String == "handOverFailed")
        #expect(directory.names.isEmpty)
    }
}

/// Tries for a lock all the time; every attempt has to be refused.
private final class Contender: Sendable {
    private let attempts: Atomic<Int>
    private let isOver: Atomic<Bool>
    private let task: Mutex<Task<Void, any Error>?>

    init(for file: FilePath) {
        attempts = Atomic(0)
        isOver = Atomic(false)
        task = Mutex(nil)
        let task = Task { [self] in
            while !isOver.load(ordering: .acquiring) {
                let attempt = try await Command.run(["lock", "hold", file.string, "--seconds", "0"])
                #expect(attempt.code == 3, "\(attempt.output) \(attempt.errors)")
                attempts.add(1, ordering: .acquiringAndReleasing)
            }
        }
        self.task.withLock { $0 = task }
    }

    /// Waits for so many more whole attempts.
    func awaitAttempts(_ count: Int) async throws {
        // The one that is under way began earlier.
        let goal = attempts.load(ordering: .acquiring) + count + 1
        while attempts.load(ordering: .acquiring) < goal { try await Task.sleep(for: .milliseconds(10)) }
    }

    func stop() async throws {
        isOver.store(true, ordering: .releasing)
        try await task.withLock { $0 }?.value
    }
}
