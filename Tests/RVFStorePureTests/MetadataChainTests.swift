import RVFStore
import Testing

@Suite struct MetadataChainTests {
    /// Segments as generation and base; a snapshot has none.
    private func chain(_ segments: [(UInt64, UInt64?)], byteCount: Int = 100) -> MetadataChain {
        var chain = MetadataChain()
        for (generation, base) in segments {
            chain.append(generation: generation, baseGeneration: base, byteCount: byteCount)
        }
        return chain
    }

    @Test("A snapshot and its deltas are applied in their order, and a later snapshot starts anew")
    func plain() {
        #expect(chain([]).path == [])
        #expect(chain([(1, nil), (2, 1), (3, 2)]).path == [0, 1, 2])
        #expect(chain([(1, nil), (2, 1), (3, nil), (4, 3)]).path == [2, 3])
        #expect(chain([(9, nil), (1, nil), (2, 1)]).path == [1, 2])
    }

    @Test("Of two deltas of one generation the later counts, and what rested on the earlier does not")
    func forks() {
        #expect(chain([(1, nil), (2, 1), (2, 1), (3, 2)]).path == [0, 2, 3])
        // Two commits that were never durable, then others in their place.
        #expect(chain([(1, nil), (2, 1), (3, 2), (2, 1)]).path == [0, 3])
        let stale = chain([(1, nil), (2, 1), (3, 2), (2, 1), (4, 3)])
        #expect(stale.path == [0, 3])
        #expect(!stale.fits(4))
    }

    @Test("A snapshot that was never committed gives way to the delta that was")
    func abandonedSnapshot() {
        #expect(chain([(1, nil), (2, 1), (3, nil), (3, 2), (4, 3)]).path == [0, 1, 3, 4])
        #expect(chain([(1, nil), (2, 1), (3, nil), (4, 3)]).path == [2, 3])
    }

    @Test("A delta without its base does not fit, and changes nothing")
    func misfits() {
        let chain = chain([(5, 4), (1, nil), (3, 2), (2, 1)])
        #expect(chain.path == [1, 3])
        #expect((0..<4).map(chain.fits) == [false, true, false, true])
    }

    @Test("No more than 64 deltas and 256 MiB follow from a snapshot")
    func limits() {
        var many = chain([(0, nil)])
        for generation in 1...70 as ClosedRange<UInt64> {
            let fits = many.append(generation: generation, baseGeneration: generation - 1, byteCount: 100)
            #expect(fits == (generation <= 64))
        }
        #expect(many.path.count == 65)
        let large = chain([(0, nil), (1, 0), (2, 1), (3, 2)], byteCount: 100 << 20)
        #expect(large.path == [0, 1])
    }
}
