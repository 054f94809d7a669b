import RVFHost
import Synchronization

/// The ids of one vector segment, as far as they have been asked for: from its row index, or else from its rows. Safe
/// to share between threads: whoever asks while they are read waits.
final class SegmentIDs: Sendable {
    private enum State: Sendable {
        case unknown
        /// There is an index, whose head was checked.
        case outlined(StoredRowIndex)
        /// The index was checked as a whole.
        case mapped(StoredRowIndex)
        /// The same, in memory.
        case copied(RowRun)
        /// Read from the rows.
        case read(RowRun)
    }

    private let state: Mutex<State>
    /// Of the store; nil where no index is looked for.
    private let fileID: [UInt8]?

    init(fileID: [UInt8]?) {
        state = Mutex(.unknown)
        self.fileID = fileID
    }

    /// Those of an index that was just written.
    init(index: StoredRowIndex) {
        state = Mutex(.outlined(index))
        fileID = nil
    }

    /// The ids of rows that were just written.
    init(run: RowRun) {
        state = Mutex(.read(run))
        fileID = nil
    }

    /// The lowest and the highest id; nil where there are none.
    func bounds<H: Host>(
        of segment: VectorSegment, in source: ByteSource<H>
    ) throws(StoreError) -> ClosedRange<UInt64>? {
        try state.withLock { (state) throws(StoreError) in
            try outline(&state, segment, source)
            switch state {
            case .outlined(let index), .mapped(let index): return index.payload.firstID...index.payload.lastID
            case .copied(let run), .read(let run):
                return run.count == 0 ? nil : run.id(at: 0)...run.id(at: run.count - 1)
            case .unknown: return nil
            }
        }
    }

    /// All ids, and whether it is an index that says so.
    func run<H: Host>(
        of segment: VectorSegment, in source: ByteSource<H>
    ) throws(StoreError) -> (run: RowRun, isIndexed: Bool) {
        try state.withLock { (state) throws(StoreError) in
            try outline(&state, segment, source)
            switch state {
            case .copied(let run): return (run, true)
            case .read(let run): return (run, false)
            case .mapped(let index):
                if let run = index.run(in: source) { return (run, true) }
                return try check(index, &state, segment, source)
            case .outlined(let index): return try check(index, &state, segment, source)
            case .unknown: return (try read(&state, segment, source), false)
            }
        }
    }

    private func check<H: Host>(
        _ index: StoredRowIndex, _ state: inout State, _ segment: VectorSegment, _ source: ByteSource<H>
    ) throws(StoreError) -> (run: RowRun, isIndexed: Bool) {
        guard let run = try index.checkedRun(in: source) else { return (try read(&state, segment, source), false) }
        state = source.isMapped ? .mapped(index) : .copied(run)
        return (run, true)
    }

    /// Whether an index speaks for the ids, so that nothing was read of the rows.
    func areIndexed<H: Host>(of segment: VectorSegment, in source: ByteSource<H>) throws(StoreError) -> Bool {
        try state.withLock { (state) throws(StoreError) in
            try outline(&state, segment, source)
            if case .read = state { return false }
            return true
        }
    }

    /// Reads the rows instead, for good: the index has been found to say of rows what they do not say.
    func distrust<H: Host>(of segment: VectorSegment, in source: ByteSource<H>) throws(StoreError) {
        try state.withLock { (state) throws(StoreError) in
            if case .read = state { return }
            _ = try read(&state, segment, source)
        }
    }

    /// Looks for an index; without one the ids are read.
    private func outline<H: Host>(
        _ state: inout State, _ segment: VectorSegment, _ source: ByteSource<H>
    ) throws(StoreError) {
        guard case .unknown = state else { return }
        if let fileID, let index = try segment.findIndex(ofFile: fileID, in: source) {
            state = .outlined(index)
        } else {
            _ = try read(&state, segment, source)
        }
    }

    private func read<H: Host>(
        _ state: inout State, _ segment: VectorSegment, _ source: ByteSource<H>
    ) throws(StoreError) -> RowRun {
        let run = RowRun(unsortedIDs: try segment.readIDs(in: source))
        state = .read(run)
        return run
    }
}
