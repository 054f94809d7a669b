import RVFHost
import SystemPackage

/// A lock file as its judge saw it, and the verdict.
struct Judgement {
    var reading: LockRecordReading
    var bytes: [UInt8]
    var verdict: LockVerdict
    /// Who the record names; nil where none can be read.
    var holder: LockHolder?
    var nowNanoseconds: Int64
    /// When the file was last written, and when it was born where that is known; on the file system's clock.
    var modifiedNanoseconds: Int64
    var bornNanoseconds: Int64?

    /// Gathers what can be seen and judges it.
    static func make<H: Host>(
        file: LockFile<H>, guardMeaning: GuardMeaning, guardIsFree: Bool, dataStatus: FileStatus?,
        identity: HostIdentity?, rules: LockRules, watch: ChangeWatch
    ) throws(LockError) -> Judgement {
        let host = file.site.host
        let look = try settledLook(at: file)
        let (bytes, status) = (look.bytes, look.status)
        let reading = LockRecordReading(bytes, fileBytes: status.sizeBytes)
        let unchanged = watch.unchangedNanoseconds(
            ChangeWatch.Sight(
                lock: status.identity, bytes: bytes, lockModified: status.modifiedNanoseconds,
                data: dataStatus?.identity, dataBytes: dataStatus?.sizeBytes,
                dataModified: dataStatus?.modifiedNanoseconds),
            nowNanoseconds: host.bootClockNanoseconds())
        let names = identity ?? HostIdentity.current(on: host)
        // An id beyond Int32 names no process on any system that we know.
        let process = reading.record.map { Int32(exactly: $0.processID) ?? 0 } ?? 0
        let isOurHost = reading.record.map { names.isOurs($0.hostName) } ?? false
        let seen = LockObservation(
            reading: reading, nowNanoseconds: look.nowNanoseconds,
            modifiedNanoseconds: look.modifiedNanoseconds, guardMeaning: guardMeaning, guardIsFree: guardIsFree,
            isOurHost: isOurHost, process: isOurHost ? host.processState(process) : .dead,
            isOwnProcessID: process == host.processID, unchangedNanoseconds: unchanged,
            dataModifiedNanoseconds: dataStatus?.modifiedNanoseconds)
        return Judgement(
            reading: reading, bytes: bytes, verdict: Staleness.verdict(on: seen, rules: rules),
            holder: reading.record.map { LockLook.holder(of: $0, at: file.site, isOurHost: isOurHost) },
            nowNanoseconds: seen.nowNanoseconds, modifiedNanoseconds: look.modifiedNanoseconds,
            bornNanoseconds: host.birthNanoseconds(of: file.site.lockName, in: file.site.directory))
    }

    /// One look at a file: its start and its status as they were at one moment.
    private struct Look {
        /// The clock before the look: whoever stalls between this and the verdict takes the file for younger than it
        /// is, never for older.
        var nowNanoseconds: Int64
        var bytes: [UInt8]
        var status: FileStatus
        var modifiedNanoseconds: Int64
    }

    /// Looks again a few times while the file looks like a write under way, or was written meanwhile. One that does not
    /// come to rest is as good as written this moment.
    private static func settledLook<H: Host>(at file: LockFile<H>) throws(LockError) -> Look {
        let host = file.site.host
        func status() throws(LockError) -> FileStatus {
            try file.site.attempting(.readLock) { () throws(Errno) in try host.status(of: file.descriptor) }
        }
        // 1, 2, 4 and 8 ms: a write of 104 bytes that has begun ends well within.
        var pauseNanoseconds: Int64 = 1_000_000
        while true {
            let now = host.wallClockNanoseconds()
            let before = try status()
            let bytes = try file.startBytes()
            let after = try status()
            let reading = LockRecordReading(bytes, fileBytes: after.sizeBytes)
            let isWhole = reading.isEmpty || (reading.record != nil && !reading.problems.contains(.checksum))
            let isAtRest =
                before.sizeBytes == after.sizeBytes && before.modifiedNanoseconds == after.modifiedNanoseconds
            if isAtRest && isWhole || pauseNanoseconds > 8_000_000 {
                return Look(
                    nowNanoseconds: now, bytes: bytes, status: after,
                    modifiedNanoseconds: isAtRest ? after.modifiedNanoseconds : now)
            }
            host.sleep(nanoseconds: pauseNanoseconds)
            pauseNanoseconds *= 2
        }
    }
}

/// What a waiter remembers from look to look, so that a timestamp in the future does not hold it up for ever: a
/// lock and a file that do not change for long enough, on a clock that never steps, belong to nobody.
final class ChangeWatch {
    struct Sight: Equatable {
        var lock: FileIdentity
        var bytes: [UInt8]
        var lockModified: Int64
        var data: FileIdentity?
        var dataBytes: Int64?
        var dataModified: Int64?
    }

    private var sight: Sight?
    private var sinceNanoseconds: Int64 = 0

    /// For how long the same has been seen by now.
    func unchangedNanoseconds(_ seen: Sight, nowNanoseconds: Int64) -> Int64 {
        if seen != sight {
            sight = seen
            sinceNanoseconds = nowNanoseconds
        }
        return nowNanoseconds - sinceNanoseconds
    }
}

/// Looks at a lock from outside: no guard is taken and nothing is changed.
enum LockLook {
    /// The record that stands at the lock's name now: through the held descriptor where that is the same to all,
    /// and through a fresh open on remote file systems, which promise to show others' writes only then.
    static func record<H: Host>(
        at site: LockSite<H>, held: FileDescriptor, meaning: GuardMeaning
    ) throws(LockError) -> RecordBytes? {
        guard meaning == .remote else { return try LockFile(site: site, descriptor: held).recordBytes() }
        let file = try site.attempting(.validate) { () throws(Errno) in
            try site.host.open(
                site.lockName, in: site.directory, .readOnly, options: [.noFollow, .nonBlocking], permissions: [])
        }
        defer { site.host.close(file) }
        return try LockFile(site: site, descriptor: file).recordBytes()
    }

    /// Whoever the file at the lock's name says has it; nil where nothing can be read.
    static func holder<H: Host>(at site: LockSite<H>, identity: HostIdentity? = nil) -> LockHolder? {
        guard let reading = try? reading(at: site), let record = reading.record else { return nil }
        let names = identity ?? HostIdentity.current(on: site.host)
        return holder(of: record, at: site, isOurHost: names.isOurs(record.hostName))
    }

    /// What stands in the file at the lock's name; nil where there is none, or none of the kind.
    static func reading<H: Host>(at site: LockSite<H>) throws(LockError) -> LockRecordReading? {
        guard let status = try site.lockStatus(), status.kind == .regular else { return nil }
        let file: FileDescriptor
        do throws(Errno) {
            file = try site.host.open(
                site.lockName, in: site.directory, .readOnly, options: [.noFollow, .nonBlocking], permissions: [])
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw .system(.openLock, site.path, error)
        }
        defer { site.host.close(file) }
        let bytes = try LockFile(site: site, descriptor: file).startBytes()
        let length = try site.attempting(.readLock) { () throws(Errno) in try site.host.status(of: file).sizeBytes }
        return LockRecordReading(bytes, fileBytes: length)
    }

    static func holder<H: Host>(of record: LockRecord, at site: LockSite<H>, isOurHost: Bool) -> LockHolder {
        let birth = site.host.birthNanoseconds(of: site.lockName, in: site.directory)
        guard isOurHost, let process = Int32(exactly: record.processID), site.host.processState(process) == .alive
        else { return LockHolder(record: record, sinceNanoseconds: birth) }
        let description = site.host.processDescription(process)
        // A process that started after the lock file was born took the lock over in place.
        let since = birth.map { max($0, description.startedNanoseconds ?? $0) }
        return LockHolder(record: record, command: description.command, sinceNanoseconds: since)
    }
}
