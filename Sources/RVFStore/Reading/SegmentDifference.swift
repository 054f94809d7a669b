/// Which vector segments only one of two directories has. What both have, in the same order, holds the same rows in
/// both states, and the same of them are newest unless another segment, or a deleted list, says otherwise.
package struct SegmentDifference: Equatable, Sendable {
    /// Positions among the earlier directory's vector segments, rising.
    package private(set) var onlyInEarlier: [Int] = []
    /// Positions among the later directory's vector segments, rising.
    package private(set) var onlyInLater: [Int] = []

    package init(from earlier: [DirectoryEntry], to later: [DirectoryEntry]) {
        // Commits mostly add at the end.
        let common = zip(earlier, later).prefix { $0 == $1 }.count
        var places: [DirectoryEntry: Int] = [:]
        for position in common..<earlier.count where places[earlier[position]] == nil {
            places[earlier[position]] = position
        }
        var next = common
        for position in common..<later.count {
            // One that changed its place, or stands there twice, counts as different: of two rows with one id
            // another one may then be the newest.
            if let place = places[later[position]], place >= next {
                onlyInEarlier.append(contentsOf: next..<place)
                next = place + 1
            } else {
                onlyInLater.append(position)
            }
        }
        onlyInEarlier.append(contentsOf: next..<earlier.count)
    }
}

extension [UInt64] {
    /// What only one of two lists has, where both rise.
    func differenceOfRising(_ other: [UInt64]) -> [UInt64] {
        var difference: [UInt64] = []
        var (left, right) = (0, 0)
        while left < count, right < other.count {
            if self[left] == other[right] {
                left += 1
                right += 1
            } else if self[left] < other[right] {
                difference.append(self[left])
                left += 1
            } else {
                difference.append(other[right])
                right += 1
            }
        }
        return difference + self[left...] + other[right...]
    }
}
