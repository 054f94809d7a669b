import ArgumentParser
import RVFStore
import SystemPackage

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List every segment of a store's file.",
        discussion: """
            A segment is live if the newest commit names it, or is its manifest, or if it is the row index of one \
            that is named; the others are earlier commits, interrupted ones, or what other programs put there. Lengths \
            are those of the payloads, in bytes. With --json a line is \
            {"id":…,"type":…,"typeCode":…,"offset":…,"length":…,"live":…,"cutOff":…}; the code is the format's number \
            of the type, of which those from 0xf0 on are free for all: they have a name where this program wrote them. \
            Id and code are null where no segment begins.

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @Flag(help: "Also check the hash of every live vector segment, and fail with 5 if one is wrong.")
    var verify = false
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let snapshot = try store.snapshot()
        let indexes = try Self.indexes(of: snapshot)
        let live = Set(snapshot.segments.map(\.offset) + [snapshot.manifestOffset] + indexes)
        var walk = SegmentWalk(snapshot.core.source, landmarks: live.sorted())
        if !output.json {
            try output.console.say(Self.columns("offset", "length", "id", "state", "type"), json: .null)
        }
        while let finding = try Self.next(&walk) {
            try say(finding, live) { (header, offset) throws(StoreError) in
                try snapshot.core.source.typeName(of: header, at: offset)
            }
        }
        if verify { try check(snapshot) }
    }

    private static func indexes(of snapshot: Snapshot) throws(Failure) -> [UInt64] {
        do throws(StoreError) { return try snapshot.core.rowIndexOffsets() } catch { throw Failure(error) }
    }

    private static func next(_ walk: inout SegmentWalk) throws(Failure) -> SegmentWalk.Finding? {
        do throws(StoreError) { return try walk.next() } catch { throw Failure(error) }
    }

    private typealias Naming = (SegmentHeader, _ offset: UInt64) throws(StoreError) -> String

    private func say(_ finding: SegmentWalk.Finding, _ live: Set<UInt64>, _ name: Naming) throws(Failure) {
        switch finding {
        case .segment(let header, let offset):
            try say(header, offset, name, live.contains(offset) ? "live" : "dead")
        case .cutOff(let header, let offset): try say(header, offset, name, "cut off")
        case .unknown(let offset, let byteCount):
            try output.console.say(
                Self.columns("\(offset)", "\(byteCount)", "-", "unknown", "no segment begins here"),
                json: .object([
                    ("id", .null), ("type", "unknown"), ("typeCode", .null), ("offset", .unsigned(offset)),
                    ("length", .unsigned(byteCount)), ("live", .bool(false)), ("cutOff", .bool(false)),
                ]))
        }
    }

    private func say(
        _ header: SegmentHeader, _ offset: UInt64, _ name: Naming, _ state: String
    ) throws(Failure) {
        let type: String
        do throws(StoreError) { type = try name(header, offset) } catch { throw Failure(error) }
        try output.console.say(
            Self.columns(
                "\(offset)", "\(header.payloadByteCount)", "\(header.id)", state, type),
            json: .object([
                ("id", .unsigned(header.id)), ("type", .string(type)),
                ("typeCode", .integer(Int64(header.type.rawValue))), ("offset", .unsigned(offset)),
                ("length", .unsigned(header.payloadByteCount)), ("live", .bool(state == "live")),
                ("cutOff", .bool(state == "cut off")),
            ]))
    }

    private func check(_ snapshot: Snapshot) throws(Failure) {
        let damages: [StoreError]
        do throws(StoreError) { damages = try snapshot.damages() } catch { throw Failure(error) }
        // All but the last are said here, and that one by ending with it.
        for damage in damages.dropLast() { output.console.report(Failure(damage)) }
        if let last = damages.last { throw Failure(last) }
    }

    /// Numbers to the right, words to the left.
    private static func columns(
        _ offset: String, _ length: String, _ id: String, _ state: String, _ type: String
    ) -> String {
        func right(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        let padded = state + String(repeating: " ", count: max(0, 7 - state.count))
        return "\(right(offset, 14))  \(right(length, 12))  \(right(id, 8))  \(padded)  \(type)"
    }
}
