import Foundation
import SystemPackage

/// What searches have found: inputs that reach far, and all that ever failed. `Inputs/<target>/<file>`, beside this file.
struct KeptInputs {
    let all: [(name: String, bytes: [UInt8])]

    init(of target: String) throws {
        let directory = FilePath(#filePath).removingLastComponent().appending("Inputs").appending(target)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.string).sorted()
        all = try names.map { name in
            (name, [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.appending(name).string))))
        }
    }
}
