import RVFHost
import RVFLock
import RVFStore
import SystemPackage

/// What a row of commits does to a file, and what a power cut, or the end of the process, can leave of it at any moment.
struct CommitRecording {
    /// A file as something that ended everything left it.
    struct Cut {
        var image: [UInt8]
        /// How many commits are known to be on the medium, up to how many may be there.
        var states: ClosedRange<Int>
        /// Whether all that was acknowledged is on the medium, and what was under way is an ordered commit.
        var isOrdered: Bool
        /// How many commits are acknowledged.
        var acknowledged: Int
    }

    /// The file before the first commit.
    private let image: [UInt8]
    /// What was done to it, and how many commits are acknowledged after each step.
    private var events: [(event: DiskScript.Event, acknowledged: Int)] = []
    private let durabilities: [CommitOptions.Durability]

    init(
        _ commits: [Transaction], in scratch: Scratch, metric: Metric = .cosine, witnesses: Bool = false,
        limits: CommitLimits = CommitLimits(), durability: (Int) -> CommitOptions.Durability
    ) throws {
        let script = DiskScript()
        var options = WriterOptions()
        options.lock.renewal = .manual
        options.witnesses = witnesses
        options.limits = limits
        let path = scratch("recorded.rvf")
        var writer = try StoreWriterCore.create(
            host: RecordingHost(script: script), registry: LockRegistry(), path: path, dimension: 3, metric: metric,
            options: options)
        let descriptor = try FileDescriptor.open(path, .readOnly)
        defer { try? descriptor.close() }
        let identity = try POSIXHost().status(of: descriptor).identity
        script.set {
            $0.file = identity
            $0.events = []
        }
        image = try scratch.read("recorded.rvf")
        durabilities = commits.indices.map(durability)
        for (number, transaction) in commits.enumerated() {
            try writer.commit(transaction, options: CommitOptions(durability: durabilities[number]))
            events += script.events.dropFirst(events.count).map { ($0, number) }
            events[events.count - 1].acknowledged = number + 1
        }
    }

    /// A power cut at any moment: everything up to the last sync is there, and any bytes of what came after it,
    /// which is more than media do: they write sectors.
    func forEachCut(_ cuts: Int, _ generator: inout SeededGenerator, _ body: (Cut) throws -> Void) throws {
        var image = image
        var unsynced: [DiskScript.Event] = []
        var acknowledged = 0
        var durable = 0
        for (event, after) in events {
            unsynced.append(event)
            for _ in 0..<cuts {
                var cut = image
                for write in unsynced {
                    let chance = Int.random(in: 0...4, using: &generator)
                    Self.apply(write, to: &cut) { _ in Int.random(in: 0..<4, using: &generator) < chance }
                }
                try body(
                    Cut(
                        image: cut, states: durable...min(acknowledged + 1, durabilities.count),
                        isOrdered: durable == acknowledged && isOrdered(acknowledged), acknowledged: acknowledged))
            }
            if case .sync = event {
                for write in unsynced { Self.apply(write, to: &image) { _ in true } }
                unsynced = []
                // What came before an ordered commit is durable with its first sync.
                durable = max(durable, acknowledged)
            }
            acknowledged = after
            if case .sync = event, after > 0, !isUnsynced(after - 1) { durable = max(durable, after) }
        }
    }

    /// The end of the process between two calls: what was written is there.
    func forEachEnd(_ body: (Cut) throws -> Void) throws {
        var image = image
        var acknowledged = 0
        for (event, after) in events {
            Self.apply(event, to: &image) { _ in true }
            acknowledged = after
            try body(
                Cut(
                    image: image, states: acknowledged...min(acknowledged + 1, durabilities.count),
                    isOrdered: isOrdered(acknowledged), acknowledged: acknowledged))
        }
    }

    var lastImage: [UInt8] {
        var image = image
        for (event, _) in events { Self.apply(event, to: &image) { _ in true } }
        return image
    }

    private func isOrdered(_ commit: Int) -> Bool {
        guard commit < durabilities.count else { return true }
        if case .ordered = durabilities[commit] { return true }
        return false
    }

    private func isUnsynced(_ commit: Int) -> Bool {
        if case .none = durabilities[commit] { return true }
        return false
    }

    private static func apply(_ write: DiskScript.Event, to image: inout [UInt8], sectors: (Int) -> Bool) {
        guard case .write(let offset, let bytes) = write else { return }
        let end = Int(offset) + bytes.count
        for position in Int(offset)..<end where sectors(position / 512) {
            if image.count <= position { image += [UInt8](repeating: 0, count: position + 1 - image.count) }
            image[position] = bytes[position - Int(offset)]
        }
    }
}
