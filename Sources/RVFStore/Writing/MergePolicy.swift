/// Which neighbouring vector segments a commit makes one of, so that a directory stays short and every row is copied
/// seldom.
///
/// Segments are of tiers by their number of rows: 1 to 9, 10 to 99, and so on. Ten neighbours of a tier become one of
/// the next; a larger segment takes in the smaller ones before it. So tiers never rise along the directory, there are
/// at most nine of each, and with each copy a row rises a tier. A segment beyond half the size limit is full: it is
/// left alone, and what stands between full ones is made one. Two that are not full always fit into one.
package struct MergePolicy {
    package struct Item {
        var rowCount: Int
        /// Bytes of the rows.
        var byteCount: Int
        /// Whether the segment may be rewritten; the others keep their neighbours apart.
        var isMovable: Bool

        package init(rowCount: Int, byteCount: Int, isMovable: Bool) {
            self.rowCount = rowCount
            self.byteCount = byteCount
            self.isMovable = isMovable
        }
    }

    /// Neighbours that are to become one segment.
    package struct Group: Equatable {
        package fileprivate(set) var items: Range<Int>
        /// Before any row is left out.
        var rowCount: Int
        var byteCount: Int
        fileprivate var isClosed: Bool
        fileprivate var tier: Int
    }

    /// How many of a tier become one of the next.
    static let fanIn = 10

    /// What a segment's rows may take, in bytes.
    private let limit: Int
    private var stack: [Group] = []
    /// Groups before this one are done.
    private var base = 0

    private init(limit: Int) {
        self.limit = limit
    }

    private static func tier(ofRows rowCount: Int) -> Int {
        var tier = 0
        var rest = rowCount / fanIn
        while rest > 0 {
            tier += 1
            rest /= fanIn
        }
        return tier
    }

    /// The groups of more than one, in the order of the items. The items are taken as if they came one after another;
    /// those of a directory that was made like this stay as they are.
    package static func groups(_ items: [Item], segmentByteCount limit: Int) -> [Group] {
        var policy = MergePolicy(limit: limit)
        policy.stack.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            let isClosed = !item.isMovable || item.byteCount > limit / 2
            policy.stack.append(
                Group(
                    items: index..<(index + 1), rowCount: item.rowCount, byteCount: item.byteCount, isClosed: isClosed,
                    tier: tier(ofRows: item.rowCount)))
            policy.settle()
        }
        return policy.stack.filter { $0.items.count > 1 }
    }

    /// Brings the stack in order after something was put on it.
    private mutating func settle() {
        while let top = stack.last {
            if top.isClosed { return close(at: stack.count - 1) }
            let last = stack.count - 1
            if last > base, stack[last - 1].tier < top.tier {
                merge((last - 1)..<(last + 1))
                continue
            }
            var first = last
            while first > base, stack[first - 1].tier == top.tier { first -= 1 }
            guard last - first + 1 >= Self.fanIn else { return }
            let end = packEnd(from: first, to: last + 1)
            merge(first..<end)
            if stack[first].isClosed, first < stack.count - 1 { close(at: first) }
        }
    }

    /// Nothing goes beyond a closed group, so what has gathered before it becomes as few as possible.
    private mutating func close(at index: Int) {
        var closed = index
        var first = base
        while first < closed {
            let end = packEnd(from: first, to: closed)
            merge(first..<end)
            closed -= end - first - 1
            first += 1
        }
        base = closed + 1
    }

    /// How far the groups from one on fit into one segment.
    private func packEnd(from first: Int, to end: Int) -> Int {
        var next = first + 1
        var byteCount = stack[first].byteCount
        while next < end, byteCount + stack[next].byteCount <= limit {
            byteCount += stack[next].byteCount
            next += 1
        }
        return next
    }

    private mutating func merge(_ range: Range<Int>) {
        guard let first = range.first, range.count > 1 else { return }
        var group = stack[first]
        for other in stack[range].dropFirst() {
            group.items = group.items.lowerBound..<other.items.upperBound
            group.rowCount += other.rowCount
            group.byteCount += other.byteCount
        }
        group.isClosed = group.byteCount > limit / 2
        group.tier = Self.tier(ofRows: group.rowCount)
        stack.replaceSubrange(range, with: CollectionOfOne(group))
    }
}
