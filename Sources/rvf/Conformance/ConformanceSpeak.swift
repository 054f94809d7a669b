import ArgumentParser
import RVFConformance
import RVFLock
import SystemPackage

struct ConformanceSpeak: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "speak",
        abstract: "Take and give back locks as lines on standard input say: what `conformance lock` tests.",
        discussion: """
            The requests are acquire PATH, release, validate, status PATH and exit; see spec/conformance.md. At the end \
            of the input the lock is given back.

            \(Outcome.help)
            """)

    func run() throws(Failure) {
        var speaker = LockSpeaker()
        var lines = LineBuffer()
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            while let line = lines.next() {
                guard case .text(let text) = line else { throw .usage("a request is longer than 4,096 bytes") }
                let request = PeerRequest(line: text)
                if request == .exit { return }
                let answer = request.map { speaker.answer($0) } ?? PeerAnswer(.error, "that is no request")
                try Console.write(answer.line + "\n", to: .standardOutput)
            }
            let input = FileDescriptor.standardInput
            let count = unsafe bytes.withUnsafeMutableBytes { (try? unsafe input.read(into: $0)) ?? 0 }
            if count == 0 { return }
            lines.append(bytes.prefix(count))
        }
    }
}

/// One lock at a time.
private struct LockSpeaker: ~Copyable {
    private var lock: WriterLock?

    mutating func answer(_ request: PeerRequest) -> PeerAnswer {
        do throws(LockError) {
            switch request {
            case .acquire(let path): return try acquire(FilePath(path))
            case .release: return try release()
            case .validate: return try validate()
            case .status(let path): return Self.status(FilePath(path))
            case .exit: return PeerAnswer(.ok)
            }
        } catch {
            return Self.answer(error)
        }
    }

    private mutating func acquire(_ path: FilePath) throws(LockError) -> PeerAnswer {
        let lock = try WriterLock.acquire(protecting: path)
        self.lock = consume lock
        return PeerAnswer(.ok)
    }

    private mutating func release() throws(LockError) -> PeerAnswer {
        guard let lock = lock.take() else { return PeerAnswer(.error, "no lock is held here") }
        try lock.release()
        return PeerAnswer(.ok)
    }

    private func validate() throws(LockError) -> PeerAnswer {
        guard lock != nil else { return PeerAnswer(.error, "no lock is held here") }
        try lock?.validate()
        return PeerAnswer(.ok)
    }

    private static func status(_ path: FilePath) -> PeerAnswer {
        let status = LockStatus(of: path)
        return switch status.state {
        case .free: PeerAnswer(.free)
        case .stale: PeerAnswer(.stale, "\(status)")
        case .held, .initialising: PeerAnswer(.held, named(status.holder) + "\(status)")
        case .unreadable(let error): PeerAnswer(.error, "\(error)")
        }
    }

    private static func answer(_ error: LockError) -> PeerAnswer {
        switch error {
        case .held(let obstacle): PeerAnswer(.held, named(obstacle.holder) + "\(error)")
        case .lost(let reason, _): PeerAnswer(.lost, "reason=\(reason.word) \(error)")
        default: PeerAnswer(.error, "\(error)")
        }
    }

    private static func named(_ holder: LockHolder?) -> String { holder.map { "pid=\($0.processID) " } ?? "" }
}
