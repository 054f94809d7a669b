/// What a disk's medium holds for sure, and everything that was done since and not synced: any part of that may be there
/// after a power cut, or not.
///
/// It is more pessimistic than file systems are. POSIX promises nothing of what was not synced, and a file's sync
/// promises nothing of its name. ext4, xfs and btrfs promise more: what happens to names reaches the medium in the order
/// in which it was done (btrfs departs from that where single files are synced), and the sync of a new file brings its
/// name along. Here each change of names is there or not whatever became of the others, and a name is durable once
/// its directory was synced, and not before. What all of them do is kept: a rename and an exchange are atomic; what a
/// kept change says of a name counts, also where the change that it built on is lost. A name can be there and lead to a
/// file of which not a byte is, as where sizes are written after names; and a length can be there without its bytes,
/// which read as zeros then.
package struct Medium: Sendable {
    /// Something that was done and is not known to be durable.
    package enum Change: Sendable {
        case write(file: Int, offset: Int, bytes: [UInt8])
        case truncate(file: Int, byteCount: Int)
        /// Where these names lead from then on, nil for nowhere: all of them together.
        case names([Name])
    }

    package struct Name: Hashable, Sendable {
        package var name: String
        package var file: Int?
    }

    /// By file: what is durable. A file is a number that is never used again, as inodes' numbers are.
    private(set) var contents: [[UInt8]] = []
    private(set) var names: [String: Int] = [:]
    /// In the order in which they were made.
    package private(set) var pending: [Change] = []

    mutating func makeFile() -> Int {
        contents.append([])
        return contents.count - 1
    }

    mutating func add(_ change: Change) {
        pending.append(change)
    }

    /// Makes a file's bytes and length durable.
    ///
    /// - Parameters:
    ///   - lengths: whether its length, too; without it, what lies beyond the durable length stays unsynced.
    ///   - limit: how many of its changes, from the first on.
    mutating func sync(_ file: Int, lengths: Bool = true, first limit: Int = .max) {
        let durableCount = contents[file].count
        var left = limit
        pending.removeAll { change in
            guard change.file == file, left > 0 else { return false }
            left -= 1
            if !lengths, case .write(_, let offset, let bytes) = change, offset + bytes.count > durableCount {
                return false
            }
            Self.apply(change, to: &contents[file])
            return true
        }
    }

    mutating func syncNames() {
        for case .names(let changed) in pending {
            for name in changed { names[name.name] = name.file }
        }
        pending.removeAll { if case .names = $0 { true } else { false } }
    }

    /// Drops what was done to a file that no power cut can bring to light.
    mutating func forgetIfUnreachable(_ file: Int) {
        if names.values.contains(file) { return }
        for case .names(let changed) in pending where changed.contains(where: { $0.file == file }) { return }
        pending.removeAll { $0.file == file }
    }

    static func apply(_ change: Change, to content: inout [UInt8]) {
        switch change {
        case .write(_, let offset, let bytes): apply(bytes[...], at: offset, to: &content)
        case .truncate(_, let byteCount):
            if byteCount < content.count { content.removeLast(content.count - byteCount) }
            content += [UInt8](repeating: 0, count: byteCount - content.count)
        case .names: break
        }
    }

    static func apply(_ bytes: ArraySlice<UInt8>, at offset: Int, to content: inout [UInt8]) {
        let end = offset + bytes.count
        if content.count < end { content += [UInt8](repeating: 0, count: end - content.count) }
        content.replaceSubrange(offset..<end, with: bytes)
    }
}

extension Medium.Change {
    /// The file whose content it changes.
    var file: Int? {
        switch self {
        case .write(let file, _, _), .truncate(let file, _): file
        case .names: nil
        }
    }
}

extension Medium {
    /// A name by which a file is or was known, for stories.
    private func label(of file: Int) -> String {
        let durable = names.filter { $0.value == file }.keys.min()
        var changed: String?
        for case .names(let names) in pending { changed = names.last { $0.file == file }?.name ?? changed }
        return durable ?? changed ?? "a file without a name"
    }

    func story(of change: Change) -> String {
        switch change {
        case .write(let file, let offset, let bytes): "\(bytes.count) bytes at \(offset) of \(label(of: file))"
        case .truncate(let file, let byteCount): "\(label(of: file)) cut to \(byteCount) bytes"
        case .names(let names):
            names.map { "\($0.name) \($0.file == nil ? "gone" : "leads to file \($0.file ?? 0)")" }.joined(separator: ", ")
        }
    }
}
