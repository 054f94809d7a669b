import RVFHost
package import SystemPackage

/// What travels from predecessor to successor: `RVFH`, u8 version, u8 flags, u16 zero, the 104 bytes of the record
/// as it stands, and with them the descriptor of the lock file and, if flag bit 0 is set, of the protected file.
/// The answer is one byte, `C` for confirmed or `R` for refused, the latter with text for a person.
package enum HandOverMessage {
    package static let magic = Array("RVFH".utf8)
    static let version: UInt8 = 1
    static let hasProtectedFile: UInt8 = 1
    package static let headerBytes = 8
    static let byteCount = headerBytes + LockRecord.byteCount
    package static let confirmed = UInt8(ascii: "C")
    package static let refused = UInt8(ascii: "R")
    /// Room for a sentence that says why.
    static let mostRefusalBytes = 200

    package static func encode(_ record: RecordBytes, hasProtectedFile: Bool) -> [UInt8] {
        magic + [version, hasProtectedFile ? self.hasProtectedFile : 0, 0, 0] + record.array
    }
}

extension HeldLock {
    package enum HandOverOutcome: Equatable, Sendable {
        case handedOver
        /// The successor refused, or ended without a word: this process holds the lock as before.
        case kept(String)
    }

    /// Gives the lock to the process at the other end of a connected Unix socket, with no instant in which it is
    /// free. Waits for the answer however long it takes: only a refusal or the end of the connection gives the
    /// lock back, since a successor that merely takes long may hold it by now.
    package func handOver(over socket: FileDescriptor) throws(LockError) -> HandOverOutcome {
        let sent = try beginHandOver()
        let answer = exchange(sent, over: socket)
        let outcome = try withState { (state) throws(LockError) -> HandOverOutcome in
            switch answer {
            case .confirmed:
                close(&state)
                state.phase = .handedOver
                state.events.append(.handedOver)
                return .handedOver
            case .failed(let why):
                try resume(&state)
                return .kept(why)
            case .unknown(let error):
                close(&state)
                state.phase = .handedOver
                throw .system(.handOver, site.path, error)
            }
        }
        tellEvents()
        return outcome
    }

    private struct Sent {
        var message: [UInt8]
        var descriptors: [FileDescriptor]
    }

    private enum Answer {
        case confirmed
        case failed(String)
        /// The successor may hold the lock or not.
        case unknown(Errno)
    }

    /// From here on this process is no holder, and nothing renews the record that the successor rewrites.
    private func beginHandOver() throws(LockError) -> Sent {
        try locked { (state) throws(LockError) -> Sent in
            let record = try inspect(&state)
            state.phase = .handingOver
            return Sent(
                message: HandOverMessage.encode(record, hasProtectedFile: state.data != nil),
                descriptors: [state.lock] + (state.data.map { [$0] } ?? []))
        }
    }

    private func exchange(_ sent: Sent, over socket: FileDescriptor) -> Answer {
        do throws(Errno) {
            let user = try host.peerUserID(socket)
            guard user == host.userID || host.userID == 0 else {
                return .failed("the process at the other end belongs to another user (\(user))")
            }
            var position = try host.send(socket, sent.message, descriptors: sent.descriptors)
            while position < sent.message.count {
                position += try host.send(socket, Array(sent.message[position...]), descriptors: [])
            }
        } catch {
            // Even if part of the message arrived: without all of it nobody adopts.
            return .failed("sending failed: \(error)")
        }
        return awaitAnswer(socket)
    }

    private func awaitAnswer(_ socket: FileDescriptor) -> Answer {
        do throws(Errno) {
            var answer: [UInt8] = []
            while answer.count <= HandOverMessage.mostRefusalBytes {
                let part = try receivePart(socket)
                answer += part
                if answer.first == HandOverMessage.confirmed { return .confirmed }
                if part.isEmpty { break }
            }
            if answer.first == HandOverMessage.refused {
                return .failed("the successor refused: " + String(decoding: answer.dropFirst(), as: UTF8.self))
            }
            // Whatever this was, it speaks another language; its end is what counts.
            while try !receivePart(socket).isEmpty {}
            return .failed("the successor ended without a confirmation")
        } catch {
            // Only the end of the connection proves that no confirmation will come.
            guard error == .connectionReset || error == .brokenPipe else { return .unknown(error) }
            return .failed("the connection broke before a confirmation: \(error)")
        }
    }

    /// The next bytes of the answer, empty at its end; a socket that does not block is asked again and again.
    private func receivePart(_ socket: FileDescriptor) throws(Errno) -> [UInt8] {
        while true {
            do throws(Errno) {
                let part = try host.receive(socket, atMostBytes: 256)
                for descriptor in part.descriptors { host.close(descriptor) }
                return part.bytes
            } catch {
                guard error == .wouldBlock else { throw error }
                host.sleep(nanoseconds: 1_000_000)
            }
        }
    }

    /// Holds again after a hand-over that failed. The successor may have written its own record before it died, and
    /// a naive peer may have judged that one: so write, settle, look.
    private func resume(_ state: inout State) throws(LockError) {
        state.phase = .held
        do throws(LockError) {
            try rewriteRecord(through: state.lock)
        } catch {
            guard case .handOverFailed = error else { throw error }
            try lose(&state, .overwritten(by: LockLook.holder(at: site, identity: options.identity)))
        }
        host.sleep(nanoseconds: (lockMeaning == .remote ? options.remoteSettle : options.settle).nanoseconds)
        _ = try inspect(&state)
        setRenewed()
    }

    /// The timestamp first, as in a take-over, then the whole record with this process in it; the writer id stays.
    fileprivate func rewriteRecord(through lock: FileDescriptor) throws(LockError) {
        let file = LockFile(site: site, descriptor: lock)
        guard var old = try file.recordBytes(), old.magic == LockRecord.magic, old.writerID == writerID else {
            throw .handOverFailed(site.path, "another record stands in the lock file")
        }
        let now = UInt64(max(0, host.wallClockNanoseconds()))
        var record = LockRecord(fieldsOf: old)
        old.timestampNanoseconds = RecordTimestamp.keepingChecksum(of: old, nowNanoseconds: now)
        try file.writeTimestamp(of: old, .handOver)
        record.processID = UInt32(bitPattern: host.processID)
        record.hostName = options.identity?.recordName ?? HostIdentity.recordName(on: host)
        record.timestampNanoseconds = now
        record.isGuarded = lockMeaning == .coherent
        try file.write(record.recordBytes(), .handOver)
    }
}

// MARK: The successor

extension HeldLock {
    /// Takes a lock that the process at the other end of a connected Unix socket hands over.
    ///
    /// Whatever fails, the guards are closed before the refusal is sent, so that the predecessor has them alone
    /// when it goes on.
    package static func adopt(
        host: H, registry: LockRegistry, protecting path: FilePath, over socket: FileDescriptor, options: LockOptions
    ) throws(LockError) -> HeldLock<H> {
        let received = try receive(host, path, socket)
        var failure: LockError
        do throws(LockError) {
            let held = try prove(received, host: host, registry: registry, path: path, options: options)
            do throws(LockError) {
                try held.takeUp(socket)
                options.observer?(.adopted(held.writerID))
                return held
            } catch {
                failure = error
                held.disown()
            }
        } catch {
            failure = error
            for descriptor in received.descriptors { host.close(descriptor) }
        }
        if case .handOverFailed = failure {} else { failure = .handOverFailed(path, "\(failure)") }
        let text = Array("\(failure)".utf8.prefix(HandOverMessage.mostRefusalBytes))
        // Best effort: without it the end of the connection tells the same.
        _ = try? host.send(socket, [HandOverMessage.refused] + text, descriptors: [])
        throw failure
    }

    private struct Received {
        var record: RecordBytes
        var descriptors: [FileDescriptor]
        var hasProtectedFile: Bool
    }

    private static func receive(
        _ host: H, _ path: FilePath, _ socket: FileDescriptor
    ) throws(LockError) -> Received {
        var bytes: [UInt8] = []
        var descriptors: [FileDescriptor] = []
        func fail(_ why: String) -> LockError {
            for descriptor in descriptors { host.close(descriptor) }
            return .handOverFailed(path, why)
        }
        do throws(Errno) {
            while bytes.count < HandOverMessage.byteCount {
                let part = try host.receive(socket, atMostBytes: HandOverMessage.byteCount - bytes.count)
                descriptors += part.descriptors
                if part.bytes.isEmpty { break }
                bytes += part.bytes
            }
        } catch {
            throw fail("the connection broke: \(error)")
        }
        guard bytes.count == HandOverMessage.byteCount, bytes.starts(with: HandOverMessage.magic),
            bytes[4] == HandOverMessage.version, let record = RecordBytes(bytes[HandOverMessage.headerBytes...])
        else { throw fail("what arrived is no hand-over") }
        let hasProtectedFile = bytes[5] & HandOverMessage.hasProtectedFile != 0
        guard descriptors.count == (hasProtectedFile ? 2 : 1) else { throw fail("a descriptor is missing") }
        return Received(record: record, descriptors: descriptors, hasProtectedFile: hasProtectedFile)
    }

    /// That the descriptors are the lock file's and the protected file's of this path, and guarded.
    private static func prove(
        _ received: Received, host: H, registry: LockRegistry, path: FilePath, options: LockOptions
    ) throws(LockError) -> HeldLock<H> {
        let site = try LockSite(host: host, path: path)
        let lock = received.descriptors[0]
        let data = received.hasProtectedFile ? received.descriptors[1] : nil
        let (lockIdentity, meaning) = try proveOne(lock, at: site)
        guard try site.lockStatus()?.identity == lockIdentity else {
            throw .handOverFailed(path, "the lock that arrived is not that of this path")
        }
        let present = try site.dataStatus()?.identity
        let dataIdentity: FileIdentity?
        if let data {
            dataIdentity = try proveOne(data, at: site).0
        } else {
            dataIdentity = try unguardedData(at: site)
        }
        guard present == dataIdentity else {
            throw .handOverFailed(path, "the protected file that arrived is not that of this path")
        }
        let keys = LockRegistry.Keys(
            directory: site.directoryIdentity, lockName: site.lockName, data: dataIdentity, lock: lockIdentity)
        let now = host.wallClockNanoseconds()
        guard case .made(let ticket) = registry.reserve(keys, processID: host.processID, nowNanoseconds: now) else {
            throw .handOverFailed(path, "the successor is a process that holds the lock already")
        }
        _ = registry.extend(ticket, writerID: received.record.writerID)
        return HeldLock(
            site: site, options: options, registry: registry, ticket: ticket, writerID: received.record.writerID,
            lock: lock, lockIdentity: lockIdentity, lockMeaning: meaning, data: data, dataIdentity: dataIdentity)
    }

    /// The protected file of a file system where no guard is taken, whose descriptor need not have come along; nil
    /// where there is none, or one that should have come guarded.
    private static func unguardedData(at site: LockSite<H>) throws(LockError) -> FileIdentity? {
        guard let present = try site.dataStatus(), present.kind == .regular else { return nil }
        return try site.attempting(.handOver) { () throws(Errno) -> FileIdentity? in
            let file = try site.host.open(
                site.dataName, in: site.directory, .readOnly, options: [.nonBlocking], permissions: [])
            defer { site.host.close(file) }
            return try site.host.fileSystemType(of: file).guardMeaning == .remote ? present.identity : nil
        }
    }

    private static func proveOne(
        _ file: FileDescriptor, at site: LockSite<H>
    ) throws(LockError) -> (FileIdentity, GuardMeaning) {
        let host = site.host
        let status = try site.attempting(.handOver) { () throws(Errno) in try host.status(of: file) }
        guard status.kind == .regular else {
            throw .handOverFailed(site.path, "a descriptor that arrived is not a file's")
        }
        let meaning = try site.attempting(.handOver) { () throws(Errno) in
            try host.fileSystemType(of: file).guardMeaning
        }
        if meaning != .remote {
            guard try site.attempting(.lockKernel, { () throws(Errno) in try host.tryLock(file) }) else {
                throw .handOverFailed(site.path, "a descriptor that arrived does not have the kernel lock")
            }
        }
        return (status.identity, meaning)
    }

    /// Writes this process into the record, lets peers that judged the old one have their time, looks whether all
    /// is still ours, and confirms: from that byte on this process is the holder.
    private func takeUp(_ socket: FileDescriptor) throws(LockError) {
        try locked { (state) throws(LockError) in
            try rewriteRecord(through: state.lock)
            host.sleep(nanoseconds: (lockMeaning == .remote ? options.remoteSettle : options.settle).nanoseconds)
            _ = try inspect(&state)
            setRenewed()
            do throws(Errno) {
                _ = try host.send(socket, [HandOverMessage.confirmed], descriptors: [])
            } catch {
                // A predecessor that is gone holds nothing; one that lives keeps its end open until it has read.
                if error != .brokenPipe && error != .connectionReset { throw .system(.handOver, site.path, error) }
            }
        }
    }

    /// Closes what arrived without touching the lock file: it is the predecessor's again.
    private func disown() {
        try? withState { (state) throws(LockError) in
            if state.phase == .released { return }
            close(&state)
            state.phase = .handedOver
        }
    }
}
