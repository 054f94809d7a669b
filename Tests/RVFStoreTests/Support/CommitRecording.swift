import RVFHost
import RVFLock
import RVFStore
import SystemPackage

/// What a few commits to a new store did to its file, write by write.
struct CommitRecording {
    /// The file before the first commit.
    var image: [UInt8]
    /// What was done to it, and how many commits are acknowledged after each step.
    var events: [(event: DiskScript.Event, acknowledged: Int)] = []

    init(_ commits: [Transaction], in scratch: Scratch, isOrdered: (Int) -> Bool = { _ in true }) throws {
        let script = DiskScript()
        var options = WriterOptions()
        options.lock.renewal = .manual
        let path = scratch("recorded.rvf")
        var writer = try StoreWriterCore.create(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, dimension: 3, metric: .cosine,
            options: options)
        let descriptor = try FileDescriptor.open(path, .readOnly)
        defer { try? descriptor.close() }
        let identity = try POSIXHost().status(of: descriptor).identity
        script.set {
            $0.file = identity
            $0.events = []
        }
        image = try scratch.read("recorded.rvf")
        for (number, transaction) in commits.enumerated() {
            try writer.commit(
                transaction, options: CommitOptions(durability: isOrdered(number) ? .ordered : .none))
            events += script.events.dropFirst(events.count).map { ($0, number) }
            events[events.count - 1].acknowledged = number + 1
        }
    }

    /// Does to a file what a write did, as far as it comes to some of the sectors.
    static func apply(_ write: DiskScript.Event, to image: inout [UInt8], sectors: (Int) -> Bool) {
        guard case .write(let offset, let bytes) = write else { return }
        let end = Int(offset) + bytes.count
        for position in Int(offset)..<end where sectors(position / 512) {
            if image.count <= position { image += [UInt8](repeating: 0, count: position + 1 - image.count) }
            image[position] = bytes[position - Int(offset)]
        }
    }
}
