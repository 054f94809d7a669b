import RVFHost
package import SystemPackage

/// A process begins with its end of a pair, as a child does that has inherited it; sockets with names are not simulated.
extension SimulatedHost {
    package func peerUserID(_ socket: FileDescriptor) throws(Errno) -> UInt32 { userID }

    /// The end of a pair with which this process began.
    package var inheritedSocket: FileDescriptor { FileDescriptor(rawValue: SimulatedSockets.firstDescriptor) }

    private func end(_ socket: FileDescriptor, in state: WorldState) -> Int {
        guard let end = state.processes[process].sockets[socket.rawValue] else {
            preconditionFailure("a socket that is not open: EBADF is a bug")
        }
        return end
    }

    package func send(
        _ socket: FileDescriptor, _ bytes: [UInt8], descriptors: [FileDescriptor]
    ) throws(Errno) -> Int {
        let text = "sends \(bytes.count) bytes" + (descriptors.isEmpty ? "" : " and \(descriptors.count) open files")
        return try world.perform(process, .call("send").making(.send(bytes, descriptors)), text) { (state) throws(Errno) in
            let files = descriptors.compactMap { state.processes[process].descriptors[$0.rawValue] }
            try state.sockets.send(
                SimulatedSockets.Message(bytes: bytes, files: files), from: end(socket, in: state))
            return bytes.count
        }
    }

    package func receive(
        _ socket: FileDescriptor, atMostBytes count: Int
    ) throws(Errno) -> (bytes: [UInt8], descriptors: [FileDescriptor]) {
        if defect == .resumesOnTimeout, !world.isGhost(process), !world.state.sockets.isReadable(end(socket, in: world.state)) {
            throw .connectionReset
        }
        let own = world.read(process) { state in
            let number = end(socket, in: state)
            state.processes[process].awaitedSocket = number
            return number
        }
        guard let own else { throw .ioError }
        defer {
            _ = world.read(process) { state in
                state.processes[process].awaitedSocket = nil
                return true
            }
        }
        let received = try world.perform(process, .call("receive").making(.receive(end: own)), "receives") {
            (state) throws(Errno) -> Received in
            let message = try state.sockets.receive(own, atMostBytes: count)
            return Received(
                bytes: message.bytes,
                descriptors: message.files.map { state.install($0, of: process) })
        }
        return (received.bytes, received.descriptors.map(FileDescriptor.init(rawValue:)))
    }

    func closeSocket(_ socket: FileDescriptor) {
        _ = try? world.perform(process, .call("close", canFail: false).making(.quiet), "closes its socket") { (state) throws(Errno) in
            state.closeSocket(socket.rawValue, of: process)
            return true
        }
    }

    struct Received: Hashable {
        var bytes: [UInt8]
        var descriptors: [Int32]
    }
}
