import ArgumentParser
import RVFStore
import SystemPackage

struct Derive: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make a new store with a store's rows, which says that it descends from it.",
        discussion: """
            The child has an identity of its own, and the parent's rows, dimension and metric; what other programs put \
            into the parent is not copied. Takes no lock, and works beside a writer. The child is complete and durable \
            before its name appears; nothing is replaced.

            \(Outcome.help)
            """)

    @OptionGroup var store: StoreArgument
    @Argument(help: "The new store, which must not exist.")
    var child: FilePath
    @OptionGroup var work: WorkArguments
    @OptionGroup var output: OutputOptions

    func run() throws(Failure) {
        let interruption = try Interruption()
        let snapshot = try store.snapshot()
        let identity = try work.run(output.console, interruption) { (options) throws(StoreError) in
            try snapshot.derive(to: child, options: options)
        }
        let (fileID, parentID) = (Self.hexadecimal(identity.fileID), Self.hexadecimal(identity.parentID))
        try output.console.say(
            "\(child)\n"
                + aligned([
                    ("file id", fileID), ("parent id", parentID), ("depth", "\(identity.lineageDepth)"),
                    ("rows", "\(snapshot.liveCount)"),
                ]),
            json: .object([
                ("path", .string(child.string)), ("fileID", .string(fileID)), ("parentID", .string(parentID)),
                ("depth", .unsigned(UInt64(identity.lineageDepth))), ("rows", .integer(Int64(snapshot.liveCount))),
            ]))
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
