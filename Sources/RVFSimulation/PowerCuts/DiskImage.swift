/// The files of a directory as a power cut left them: by name, each file's bytes.
///
/// Hard links do not occur: nothing that is simulated makes one.
package struct DiskImage: Sendable {
    package var files: [String: [UInt8]]

    package init(_ files: [String: [UInt8]]) {
        self.files = files
    }
}

/// What of the unsynced changes a power cut left.
package struct Cut: Sendable {
    /// By position in ``Medium/pending``; a bit that is set is a change that is there.
    package var kept: UInt64
    /// One write that is there in part.
    package var tear: Tear?
    /// Whether every file is as long as it would be with all changes; what is missing reads as zeros.
    package var isExtended = false
    /// Whether it is one of those that stand for more than can be gone through.
    package var isSample = false

    package struct Tear: Hashable, Sendable {
        package var change: Int
        /// Which bytes of the write are there, as ranges of offsets in the file.
        package var pieces: [Range<Int>]
    }

    func keeps(_ change: Int) -> Bool { kept >> UInt64(change) & 1 == 1 }
}

/// Makes the images of one moment. Most cuts of a moment differ in one file only, so the contents of each file are made
/// once.
struct ImageMaker {
    /// A file's content, and what it is known by where images are compared: its hash, or its key.
    struct Content {
        var bytes: [UInt8]
        var digest: Int
    }

    private struct Key: Hashable {
        var file: Int
        var kept: UInt64
        var tear: Cut.Tear?
        var isExtended: Bool
    }

    private let medium: Medium
    /// By file, which of the changes are its own.
    private var changes: [Int: UInt64] = [:]
    private var fullByteCounts: [Int: Int] = [:]
    private var made: [Key: Content] = [:]

    init(_ medium: Medium) {
        self.medium = medium
        for (position, change) in medium.pending.enumerated() {
            if let file = change.file { changes[file, default: 0] |= 1 << UInt64(position) }
        }
        for (file, own) in changes { fullByteCounts[file] = content(file, kept: own, tear: nil).count }
    }

    /// Whether longer lengths would make another image of a cut.
    func isShortened(by cut: Cut) -> Bool {
        changes.contains { $0.value & ~cut.kept != 0 } || cut.tear != nil
    }

    /// The contents by name. Two images are alike if their digests are.
    mutating func image(of cut: Cut) -> (files: [(name: String, content: Content)], digest: Int) {
        var names = medium.names
        for (position, change) in medium.pending.enumerated() where cut.keeps(position) {
            guard case .names(let changed) = change else { continue }
            for name in changed { names[name.name] = name.file }
        }
        var files: [(name: String, content: Content)] = []
        var hasher = Hasher()
        for (name, file) in names.sorted(by: { $0.key < $1.key }) {
            let content = content(of: file, cut)
            hasher.combine(name)
            hasher.combine(content.digest)
            files.append((name, content))
        }
        return (files, hasher.finalize())
    }

    private mutating func content(of file: Int, _ cut: Cut) -> Content {
        let own = changes[file] ?? 0
        let tear = cut.tear.flatMap { own >> UInt64($0.change) & 1 == 1 ? $0 : nil }
        let key = Key(file: file, kept: cut.kept & own, tear: tear, isExtended: cut.isExtended)
        if let known = made[key] { return known }
        var bytes = content(file, kept: key.kept, tear: tear)
        if cut.isExtended, let full = fullByteCounts[file], full > bytes.count {
            bytes += [UInt8](repeating: 0, count: full - bytes.count)
        }
        var hasher = Hasher()
        // While the array lends its bytes.
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        let content = Content(bytes: bytes, digest: hasher.finalize())
        made[key] = content
        return content
    }

    private func content(_ file: Int, kept: UInt64, tear: Cut.Tear?) -> [UInt8] {
        var bytes = medium.contents[file]
        for (position, change) in medium.pending.enumerated() where change.file == file {
            if let tear, tear.change == position, case .write(_, let offset, let written) = change {
                for piece in tear.pieces {
                    Medium.apply(
                        written[(piece.lowerBound - offset)..<(piece.upperBound - offset)], at: piece.lowerBound, to: &bytes)
                }
            } else if kept >> UInt64(position) & 1 == 1 {
                Medium.apply(change, to: &bytes)
            }
        }
        return bytes
    }
}
