/// Something that takes bytes from outside, and what must hold whatever they are.
///
/// That nothing traps goes without saying, and is seen by whoever runs it. What else must hold is checked, above all
/// that what was understood is encoded as something that means the same, and that little memory is taken for it.
package struct FuzzTarget: Sendable {
    package let name: String
    /// Inputs from which a search starts.
    package let seeds: @Sendable () throws -> [[UInt8]]
    /// Inputs of nearly a megabyte that ask for as much memory as such an input can.
    package let greedyInputs: @Sendable () throws -> [[UInt8]]
    private let body: @Sendable ([UInt8]) throws -> Void
    private let taking: @Sendable ([UInt8]) throws -> Void

    /// - Parameter taking: what a program does that is given an input; where there is none, checking it is that.
    init(
        _ name: String, seeds: @escaping @Sendable () throws -> [[UInt8]],
        greedy: @escaping @Sendable () throws -> [[UInt8]], taking: (@Sendable ([UInt8]) throws -> Void)? = nil,
        _ body: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.seeds = seeds
        greedyInputs = greedy
        self.body = body
        self.taking = taking ?? body
    }

    /// - Throws: ``FuzzFailure`` where something does not hold that must.
    package func check(_ input: [UInt8]) throws { try body(input) }

    /// Does with an input what programs do, for who measures what that takes.
    package func take(_ input: [UInt8]) throws { try taking(input) }

    package static let all = payloadTargets + textTargets + [handOverTarget, storeTarget]

    package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// What did not hold.
package struct FuzzFailure: Error, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }

    static func unless(_ holds: Bool, _ what: @autoclosure () -> String) throws(FuzzFailure) {
        if !holds { throw FuzzFailure(what()) }
    }
}
