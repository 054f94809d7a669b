import RVFHost
import RVFTestSupport
import Testing

@testable import RVFLock

@Suite struct HostIdentityTests {
    private func host(
        variable: String? = nil, kernel: String = "kernel-name", file: String?? = nil
    ) -> TestHost {
        let host = TestHost(base: POSIXHost())
        host.script.update {
            $0.environment = variable.map { ["HOSTNAME": Array($0.utf8)] } ?? [:]
            $0.hostName = Array(kernel.utf8)
            $0.systemFiles["/etc/hostname"] = .some((file ?? nil).map { Array($0.utf8) })
        }
        return host
    }

    private func written(_ host: TestHost) -> String {
        String(decoding: HostIdentity.recordName(on: host), as: UTF8.self)
    }

    @Test("The name that is written is $HOSTNAME, else the kernel's, and never one of those that mean nothing")
    func recordName() {
        #expect(written(host(variable: "given")) == "given")
        for nothing in [nil, "", "unknown", "localhost"] as [String?] {
            #expect(written(host(variable: nothing)) == "kernel-name")
        }
    }

    @Test("Any name of this host counts as ours, cut alike")
    func ownNames() {
        let long = String(repeating: "n", count: 70)
        let names = HostIdentity.current(on: host(variable: "given", kernel: long, file: " filed \nrest\n"))
        for name in ["given", long, String(long.prefix(62)), String(long.prefix(63)), "filed"] {
            #expect(names.isOurs(Array(name.utf8)), "\(name)")
        }
        for name in ["", "give", "given2", String(long.prefix(61)), "filed ", "rest", "Given"] {
            #expect(!names.isOurs(Array(name.utf8)), "\(name)")
        }
    }

    @Test("unknown, localhost and no name are nobody's, even if this host has them", arguments: ["unknown", "localhost", ""])
    func nobodys(name: String) {
        let names = HostIdentity.current(on: host(variable: name, kernel: name, file: name))
        #expect(!names.isOurs(Array(name.utf8)))
        #expect(!HostIdentity(name: name).isOurs(Array(name.utf8)))
    }

    @Test("A given identity is the only one that counts")
    func given() {
        let names = HostIdentity(name: "pod-7")
        #expect(names.isOurs(Array("pod-7".utf8)))
        #expect(!names.isOurs(POSIXHost().hostName()))
        #expect(names.recordName == Array("pod-7".utf8))
    }
}
