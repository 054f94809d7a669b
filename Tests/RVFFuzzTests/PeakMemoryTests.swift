import RVFFuzz
import Testing

#if os(Linux)
    /// Each target in a process of its own, where nothing else takes memory.
    @Suite("Memory")
    struct PeakMemoryTests {
        @Test("inputs under a megabyte that ask for as much as they can get less than 64 MB", arguments: FuzzTarget.all.map(\.name))
        func peak(_ name: String) async {
            await #expect(processExitsWith: .success) { [name] in
                let target = try #require(FuzzTarget.named(name))
                let inputs = try target.greedyInputs()
                for (number, input) in inputs.enumerated() {
                    #expect(input.count < PeakMemory.inputLimitBytes, "\(name), input \(number)")
                    let bytes = try #require(try PeakMemory.bytes(of: target, taking: input))
                    #expect(bytes <= PeakMemory.limitBytes, "\(name), input \(number)")
                }
            }
        }

        @Test("what takes too much is seen")
        func isSeen() async {
            await #expect(processExitsWith: .success) {
                let target = try #require(FuzzTarget.named("witness"))
                let small = try #require(try PeakMemory.bytes(of: target, taking: [0, 1, 2]))
                var long = [UInt8](repeating: 0x61, count: 32 << 20)
                for (place, byte) in [UInt8(0xC0), 0xFF, 0xFF, 1].enumerated() { long[9 + place] = byte }
                let large = try #require(try PeakMemory.bytes(of: target, taking: long))
                // Its text; and the code, which is read into memory.
                #expect(small < 16 << 20 && large > 32 << 20)
            }
        }
    }
#endif
