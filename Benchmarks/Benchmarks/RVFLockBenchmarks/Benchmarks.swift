import Benchmark
import Foundation
import RVFLock
import SystemPackage

/// Instructions repeat to a fraction of a per cent on a noisy machine, so they are what the thresholds gate.
let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput, .instructions], scalingFactor: .kilo, maxDuration: .seconds(3))

    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("rvf-bench-\(getpid())")
    let data = FilePath(directory.appendingPathComponent("data.rvf").path)
    let makeFile: @Sendable () throws -> Void = {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        FileManager.default.createFile(atPath: data.string, contents: Data([0]))
    }

    Benchmark("acquire + release") { benchmark in
        try makeFile()
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations {
            let lock = try WriterLock.acquire(protecting: data)
            try lock.release()
        }
        benchmark.stopMeasurement()
    }

    Benchmark("validate") { benchmark in
        try makeFile()
        let lock = try WriterLock.acquire(protecting: data)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { try lock.validate() }
        benchmark.stopMeasurement()
        try lock.release()
    }

    Benchmark("renew") { benchmark in
        try makeFile()
        let lock = try WriterLock.acquire(protecting: data, options: LockOptions(renewal: .manual))
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { try lock.renew() }
        benchmark.stopMeasurement()
        try lock.release()
    }

    Benchmark("status for an onlooker") { benchmark in
        try makeFile()
        let lock = try WriterLock.acquire(protecting: data)
        benchmark.startMeasurement()
        for _ in benchmark.scaledIterations { blackHole(LockStatus(of: data)) }
        benchmark.stopMeasurement()
        try lock.release()
    }

    Benchmark("record: encode and decode") { benchmark in
        let record = LockRecord(
            processID: 4711, hostName: Array("build-7".utf8), timestampNanoseconds: 1_795_221_361_213_067_434,
            writerID: WriterID(bytes: Array(0..<16))!, isGuarded: true)
        for _ in benchmark.scaledIterations { blackHole(LockRecordReading(record.encoded())) }
    }
}
