/// All ids of some runs in rising order, each once, with its newest row. It holds one position for each run, however
/// many rows there are.
struct RowMerge {
    private struct Head {
        var id: UInt64
        var run: Int
        var position: Int

        /// The lower id first; of one id the newer run.
        func isBefore(_ other: Head) -> Bool {
            id != other.id ? id < other.id : run > other.run
        }
    }

    private let runs: [RowRun]
    /// Runs that have not begun, the one with the lowest id last: runs that do not overlap are never compared.
    private var waiting: [Head]
    /// A heap; the head that comes first is its root.
    private var heap: [Head] = []

    /// - Parameter runs: the later a run, the newer its rows.
    init(_ runs: [RowRun]) {
        self.runs = runs
        waiting = runs.indices.filter { runs[$0].count > 0 }.map { Head(id: runs[$0].id(at: 0), run: $0, position: 0) }
        waiting.sort { $1.isBefore($0) }
    }

    mutating func next() -> (id: UInt64, row: UInt32)? {
        admit()
        guard let first = heap.first else { return nil }
        let row = runs[first.run].row(at: first.position)
        repeat {
            advance()
            admit()
        } while heap.first?.id == first.id
        return (first.id, row)
    }

    private mutating func admit() {
        while let next = waiting.last, heap.first.map({ next.id <= $0.id }) ?? true {
            heap.append(waiting.removeLast())
            siftUp()
        }
    }

    /// Moves the root's run one id further.
    private mutating func advance() {
        let run = runs[heap[0].run]
        heap[0].position += 1
        if heap[0].position < run.count {
            // Ids that do not rise, in a file that changes, are not gone back to: every walk ends.
            heap[0].id = max(heap[0].id, run.id(at: heap[0].position))
        } else {
            let last = heap.removeLast()
            if heap.isEmpty { return }
            heap[0] = last
        }
        siftDown()
    }

    private mutating func siftUp() {
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].isBefore(heap[parent]) else { return }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while 2 * parent + 1 < heap.count {
            var child = 2 * parent + 1
            if child + 1 < heap.count, heap[child + 1].isBefore(heap[child]) { child += 1 }
            guard heap[child].isBefore(heap[parent]) else { return }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}
