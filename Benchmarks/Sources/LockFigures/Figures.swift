import CAllocationCount
import FigureSupport
import Foundation
import RVFLock
import SystemPackage

struct FigureError: Error, CustomStringConvertible {
    var description: String
}

/// The figures of the lock, each beside the bare system calls in the same run.
struct Figures {
    let directory: FilePath
    let data: FilePath

    init() throws {
        let base = ProcessInfo.processInfo.environment["RVF_FIGURES_DIRECTORY"] ?? "."
        directory = FilePath(base).appending("rvf-figures-\(getpid())")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        data = directory.appending("data.rvf")
        FileManager.default.createFile(atPath: data.string, contents: Data([0]))
    }

    func remove() { try? FileManager.default.removeItem(atPath: directory.string) }

    private func check(_ result: Int32) throws {
        if result != 0 { throw FigureError(description: "a bare system call failed: \(errno)") }
    }

    func uncontended() throws {
        let handle = open(directory.string, O_RDONLY | O_DIRECTORY)
        defer { close(handle) }
        let cycle = try compare(batches: 60, calls: 200) {
            try check(bare_lock_cycle(handle, "bare.private", "bare.lock"))
        } ours: {
            let lock = try WriterLock.acquire(protecting: data)
            try lock.release()
        }
        line("acquire + release, uncontended", cycle, "≤ 2 ×")

        let lock = try WriterLock.acquire(protecting: data, options: LockOptions(renewal: .manual))
        let bare = open(directory.appending("bare.lock").string, O_RDWR | O_CREAT, 0o644)
        defer { close(bare) }
        _ = [UInt8](repeating: 1, count: 104).withUnsafeBytes { pwrite(bare, $0.baseAddress, 104, 0) }
        let validate = try compare(batches: 60, calls: 2000) {
            try check(bare_validate(handle, "bare.lock", "data.rvf", bare))
        } ours: {
            try lock.validate()
        }
        line("validate", validate, "≤ 1 µs")
        let renew = try compare(batches: 60, calls: 2000) {
            try check(bare_renew(handle, "bare.lock", "data.rvf", bare))
        } ours: {
            try lock.renew()
        }
        line("validate + renew", renew, "")
        let alone = (
            floor: renew.floor.median - validate.floor.median, ours: renew.ours.median - validate.ours.median
        )
        row(
            "renew without its validate (difference of the two above)", microseconds(alone.floor),
            microseconds(alone.ours), String(format: "%.2f", alone.ours / alone.floor), "≤ 0.5 µs")

        let before = allocation_count()
        for _ in 0..<1000 { try lock.validate() }
        let between = allocation_count()
        for _ in 0..<1000 { try lock.renew() }
        let after = allocation_count()
        row("allocations in 1,000 validates", "0", "\(between - before)", "", "0")
        row("allocations in 1,000 renews", "0", "\(after - between)", "", "0")
        try lock.release()
    }

    private func line(_ name: String, _ result: (floor: Sample, ours: Sample), _ target: String) {
        let ratio = String(format: "%.2f", result.ours.median / result.floor.median)
        row(name, microseconds(result.floor.median), microseconds(result.ours.median), ratio, target)
    }

    /// From the kill to the lock in hand, by somebody who asks without waiting.
    func takeOver() throws {
        var sample = Sample()
        for _ in 0..<50 {
            let holder = try Child(["hold", data.string])
            guard holder.line() == "held" else { throw FigureError(description: "the holder did not hold") }
            let start = now()
            holder.kill()
            let lock = try WriterLock.acquire(protecting: data)
            sample.values.append(now() - start)
            try lock.release()
            holder.wait()
        }
        row("take-over after SIGKILL, median", "", milliseconds(sample.median), "", "≤ 20 ms")
        row("take-over after SIGKILL, longest of 50", "", milliseconds(sample.longest), "", "≤ 20 ms")
    }

    func wakeUp() throws {
        var sample = Sample()
        let waiter = try Child(["wait", data.string])
        for _ in 0..<100 {
            let lock = try WriterLock.acquire(protecting: data, options: LockOptions(wait: .forever))
            waiter.tell("wait")
            guard waiter.line() == "waiting" else { throw FigureError(description: "the waiter did not wait") }
            // Long enough for the waiter to have gone to sleep.
            usleep(30_000)
            let start = now()
            try lock.release()
            guard let got = waiter.line().flatMap(Double.init) else {
                throw FigureError(description: "the waiter did not get the lock")
            }
            sample.values.append(got - start)
        }
        waiter.tell("end")
        waiter.wait()
        row("wake-up of a waiter after release, median", "", milliseconds(sample.median), "", "≤ 2 ms")
        row("wake-up of a waiter, 99th percentile", "", milliseconds(sample.quantile(0.99)), "", "")
    }

    private struct Interval {
        var process: Int
        var asked: Double
        var from: Double
        var to: Double
    }

    func contention(holdSeconds: Double) throws {
        let children = try (0..<8).map { _ in
            try Child(["contend", data.string, "10", "\(holdSeconds)"])
        }
        var intervals: [Interval] = []
        for (process, child) in children.enumerated() {
            while let line = child.line(), line != "end" {
                let parts = line.split(separator: " ").compactMap { Double($0) }
                if parts.count == 3 {
                    intervals.append(Interval(process: process, asked: parts[0], from: parts[1], to: parts[2]))
                }
            }
            child.wait()
        }
        intervals.sort { $0.from < $1.from }
        let overlaps = zip(intervals, intervals.dropFirst()).count { $0.to > $1.from }
        let served = (0..<8).map { process in intervals.count { $0.process == process } }
        let longest = intervals.map { $0.from - $0.asked }.max() ?? .nan
        let name = "8 processes for 10 s, held \(Int(holdSeconds * 1e6)) µs each time"
        row("\(name): double holds", "", "\(overlaps)", "", "0")
        row("\(name): holds by the least and the most served", "", "\(served.min()!) / \(served.max()!)", "", "> 0")
        row("\(name): longest wait", "", milliseconds(longest), "", "≤ 500 ms")
    }

    func manyLocks() throws {
        let count = 300
        let before = threadCount()
        let holding = try Holding(directory: directory, count: count)
        row("threads more with \(count) locks held", "", "\(threadCount() - before)", "", "no thread per lock")
        try holding.release()
    }

    private func threadCount() -> Int {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []).count
    }
}

/// Locks are noncopyable and so cannot stand in an array; a chain of owners does.
final class Holding {
    private var lock: WriterLock?
    private var rest: Holding?

    init(directory: FilePath, count: Int) throws {
        let path = directory.appending("many-\(count).rvf")
        FileManager.default.createFile(atPath: path.string, contents: Data([0]))
        lock = try WriterLock.acquire(protecting: path)
        rest = count > 1 ? try Holding(directory: directory, count: count - 1) : nil
    }

    func release() throws {
        try lock.take()?.release()
        try rest?.release()
    }
}
