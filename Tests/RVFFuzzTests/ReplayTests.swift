import Foundation
import RVFFuzz
import SystemPackage
import Testing

/// Whatever searches have found once stays checked: inputs that reach far, and all that ever failed.
@Suite struct ReplayTests {
    /// `Inputs/<target>/<file>`, beside this file.
    private static let inputs = FilePath(#filePath).removingLastComponent().appending("Inputs")

    private static func names(in directory: FilePath) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory.string)) ?? []).sorted()
    }

    @Test("every kept input is taken, or refused in order", arguments: FuzzTarget.all.map(\.name))
    func replay(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let directory = Self.inputs.appending(name)
        for file in Self.names(in: directory) {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.appending(file).string)))
            #expect(throws: Never.self, "\(name)/\(file)") { try target.check(bytes) }
        }
    }

    @Test("what a search starts from is taken, cut anywhere, and with any byte changed", arguments: FuzzTarget.all.map(\.name))
    func seeds(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let seeds = try target.seeds()
        #expect(!seeds.isEmpty)
        for (number, seed) in seeds.enumerated() {
            #expect(throws: Never.self, "seed \(number)") { try target.check(seed) }
            // A few hundred of each: whole stores take a millisecond each.
            let step = max(1, seed.count / 100)
            for position in stride(from: number % step, to: seed.count, by: step) {
                var changed = seed
                changed[position] ^= 1 << UInt8(position % 8)
                #expect(throws: Never.self, "seed \(number), bit of byte \(position)") { try target.check(changed) }
                #expect(throws: Never.self, "seed \(number), \(position) bytes") {
                    try target.check(Array(seed.prefix(position)))
                }
            }
        }
    }
}
