/// Something that takes bytes from outside, and what must hold whatever they are.
///
/// That nothing traps goes without saying, and is seen by whoever runs it. What else must hold is checked, above all
/// that what was understood is encoded as something that means the same.
package struct FuzzTarget: Sendable {
    package let name: String
    /// Inputs from which a search starts.
    package let seeds: @Sendable () throws -> [[UInt8]]
    private let body: @Sendable ([UInt8]) throws -> Void

    init(
        _ name: String, seeds: @escaping @Sendable () throws -> [[UInt8]],
        _ body: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.seeds = seeds
        self.body = body
    }

    /// - Throws: ``FuzzFailure`` where something does not hold that must.
    package func check(_ input: [UInt8]) throws { try body(input) }

    package static let all = payloadTargets + textTargets + [storeTarget]

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
