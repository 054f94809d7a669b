/// A row that a search found.
public struct SearchHit: Hashable, Sendable {
    public var id: UInt64
    /// By the metric that was asked for; less is nearer.
    public var distance: Float

    public init(id: UInt64, distance: Float) {
        self.id = id
        self.distance = distance
    }

    /// The order of results: by distance, −0 being 0 and NaN the farthest; of one distance by id.
    public static func isNearer(_ left: SearchHit, _ right: SearchHit) -> Bool {
        let leftRank = left.rank
        let rightRank = right.rank
        return leftRank != rightRank ? leftRank < rightRank : left.id < right.id
    }

    /// The distance as an integer of the same order.
    @inline(__always)
    private var rank: UInt32 {
        if distance.isNaN { return .max }
        // Adding +0 makes +0 of −0 and changes nothing else.
        let bits = (distance + 0).bitPattern
        return bits & 0x8000_0000 != 0 ? ~bits : bits | 0x8000_0000
    }
}

/// The nearest of the rows that were offered, up to a number. Which ones these are depends on the rows alone, not on
/// the order in which they came.
package struct NearestRows: Sendable {
    package let limit: Int
    /// A heap whose root is the farthest.
    private var heap: [SearchHit] = []

    package init(limit: Int) {
        self.limit = max(limit, 0)
    }

    package var count: Int { heap.count }

    /// Whether a hit would be among the nearest, as far as they are known.
    @inline(__always)
    package func admits(_ hit: SearchHit) -> Bool {
        heap.count < limit || (limit > 0 && SearchHit.isNearer(hit, heap[0]))
    }

    /// Takes a hit where it is among the nearest.
    package mutating func offer(_ hit: SearchHit) {
        guard admits(hit) else { return }
        if heap.count < limit {
            heap.append(hit)
            siftUp(from: heap.count - 1)
        } else {
            heap[0] = hit
            siftDown()
        }
    }

    /// The nearest first.
    package func sorted() -> [SearchHit] {
        heap.sorted(by: SearchHit.isNearer)
    }

    package mutating func merge(_ other: NearestRows) {
        for hit in other.heap { offer(hit) }
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard SearchHit.isNearer(heap[parent], heap[child]) else { return }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while 2 * parent + 1 < heap.count {
            var child = 2 * parent + 1
            if child + 1 < heap.count, SearchHit.isNearer(heap[child], heap[child + 1]) { child += 1 }
            guard SearchHit.isNearer(heap[parent], heap[child]) else { return }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}
