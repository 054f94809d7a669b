import RVFHost
import RVFTestSupport
import SystemPackage

/// What is known to be on the medium of the file that the store began as, and of those that took its place.
struct Medium {
    private let disk = Disk()
    private var first: FileIdentity?

    /// Every process has one of its own.
    func host() -> FaultyHost<RecordingHost> {
        let script = DiskScript()
        script.set { $0.disk = disk }
        return FaultyHost(base: RecordingHost(script: script))
    }

    mutating func begin(with path: FilePath, durable: [UInt8], written: [UInt8]) throws {
        let file = try identity(path)
        disk.write(durable, at: 0, of: file)
        disk.sync(file)
        disk.write(Array(written[durable.count...]), at: durable.count, of: file)
        first = file
    }

    private func identity(_ path: FilePath) throws -> FileIdentity {
        let file = try FileDescriptor.open(path, .readOnly)
        return try file.closeAfter { try POSIXHost().status(of: file).identity }
    }

    func isFirst(_ path: FilePath) throws -> Bool { try identity(path) == first }

    /// What a power cut leaves at least.
    func durable(_ path: FilePath) throws -> [UInt8] { disk.durable(try identity(path)) ?? [] }

    func misbehave(_ host: FaultyHost<RecordingHost>, at index: Int, _ misbehaviour: Misbehaviour) {
        if misbehaviour.isPartial { host.script.update { $0.partialCall = index } }
        guard let failure = misbehaviour.failure else { return }
        let failing = misbehaviour.isPartial ? index + 1 : index
        host.script.intercept { [disk] call in
            guard call.index == failing else { return nil }
            // What a file's pages hold is not written by the sync of a directory.
            if [.sync, .syncData].contains(call.kind), call.directory == nil { disk.forget() }
            return failure
        }
    }
}

/// What a call does instead of what it should.
struct Misbehaviour {
    /// Nil where it does what it should, if in two parts.
    var failure: Errno?
    /// Whether half of the bytes are taken or given first.
    var isPartial = false

    /// What can come of a call; calls that a signal interrupts are the host's concern.
    static func all(of kind: HostCall) -> [Misbehaviour] {
        switch kind {
        case .write:
            [.init(failure: .noSpace), .init(failure: .ioError), .init(isPartial: true), .init(failure: .noSpace, isPartial: true)]
        case .sync, .syncData: [.init(failure: .ioError), .init(failure: .noSpace)]
        case .read: [.init(failure: .ioError), .init(isPartial: true)]
        case .open, .openUnnamed, .openDirectory: [.init(failure: .tooManyOpenFiles)]
        // These tell no error.
        case .close, .sleep, .lockingProcess, .processState: []
        default: [.init(failure: .ioError)]
        }
    }
}
