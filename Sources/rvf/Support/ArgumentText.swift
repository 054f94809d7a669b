import ArgumentParser

/// Arguments as the command reads them, for whoever has them in memory.
package enum ArgumentText {
    /// Nil for what is no vector.
    package static func vector(_ text: String) -> [Float]? { QueryVector(argument: text)?.components }

    /// Nil for what is no list of ids.
    package static func ids(_ text: String) -> [UInt64]? { IDList(argument: text)?.ids }

    /// Nil for what is no bytes in hexadecimal digits.
    package static func bytes(_ text: String) -> [UInt8]? { HexadecimalBytes(argument: text)?.bytes }

    /// Nil for what is no number of seconds.
    package static func seconds(_ text: String) -> Duration? { Seconds(argument: text)?.duration }

    /// What is wrong with the words of a command; nil where they can be run.
    package static func problem(with words: [String]) -> String? {
        do {
            _ = try RVF.parseAsRoot(words)
            return nil
        } catch {
            return RVF.message(for: error)
        }
    }
}
