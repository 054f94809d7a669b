package import RVFHost
import SystemPackage

/// The names by which this host is known: the one that is written into records, and all that count as ours when a
/// record is judged.
public struct HostIdentity: Equatable, Sendable {
    /// Written into records, cut to 62 bytes.
    public var recordName: [UInt8]
    /// A record whose name equals one of these, cut alike, was written on this host.
    public var ownNames: [[UInt8]]

    /// An identity given by the caller, for containers whose host name means nothing.
    ///
    /// Two hosts must never share a name: a record of one would be judged by the process ids of the other.
    public init(name: String) {
        recordName = Array(name.utf8)
        ownNames = [recordName]
    }

    package init(recordName: [UInt8], ownNames: [[UInt8]]) {
        self.recordName = recordName
        self.ownNames = ownNames
    }

    /// Names that hosts have for want of one; equal ones prove nothing.
    private static let nobodysNames: [[UInt8]] = [[], Array("unknown".utf8), Array("localhost".utf8)]

    /// Whether a record with this name was written on this host.
    package func isOurs(_ name: [UInt8]) -> Bool {
        let stored = LockRecord.storedName(of: name)
        if Self.nobodysNames.contains(where: { stored.elementsEqual($0) }) { return false }
        return ownNames.contains { LockRecord.storedName(of: $0).elementsEqual(stored) }
    }

    /// The name that peers would find too: `$HOSTNAME`, else the kernel's.
    package static func recordName(on host: some Host) -> [UInt8] {
        if let name = host.environmentVariable("HOSTNAME"), !nobodysNames.contains(name) { return name }
        return host.hostName()
    }

    /// All names of the host, for judging a record. Reads a file: only done where a record is judged.
    package static func current(on host: some Host) -> HostIdentity {
        var names = [host.hostName()]
        if let name = host.environmentVariable("HOSTNAME") { names.append(name) }
        if let file = host.systemFile("/etc/hostname") {
            let blanks = Set(" \t\r\n".utf8)
            names.append(Array(file.drop { blanks.contains($0) }.prefix { !blanks.contains($0) && $0 != 0 }))
        }
        return HostIdentity(recordName: recordName(on: host), ownNames: names)
    }
}
