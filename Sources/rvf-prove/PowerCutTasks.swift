import RVFSimulation
import Synchronization

/// Power cuts of every history of a store, and of disks with defects.
final class PowerCutTasks: Sendable {
    static let prefix = "power cuts: "

    /// Each makes some 20,000 samples of more changes than are gone through.
    private static let seedCount: UInt64 = 6

    private let isShort: Bool
    private let sum = Mutex(PowerCuts.Report())

    init(isShort: Bool) {
        self.isShort = isShort
    }

    var all: [Prove.Task] {
        StoreHistory.all(seed: 1).enumerated().map { number, history in
            Prove.Task(name: Self.prefix + history.name) { [self] in Outcome(explore(number)) }
        } + DiskDefect.allCases.map { defect in
            Prove.Task(name: "\(Self.prefix)defect: \(defect)", isDefect: true) { [setting] in
                Outcome(PowerCuts.search(for: defect, setting: setting))
            }
        }
    }

    var total: String {
        sum.withLock { sum in
            "\(sum.cutCount) power cuts, \(sum.imageCount) images that differ, \(sum.sampleCount) of them samples of more than "
                + "\(setting.cuts.exhaustiveLimit) unsynced changes, \(sum.laterImageCount) of cuts after a cut, "
                + "\(sum.recoveryCount) openings that had to write"
        }
    }

    private var setting: PowerCuts.Setting {
        var setting = PowerCuts.Setting()
        setting.cuts.sampleCount = isShort ? 10 : 200
        setting.laterCuts.sampleCount = isShort ? 5 : 50
        if isShort {
            setting.cuts.exhaustiveLimit = 7
            setting.cuts.tearCount = 2
            setting.laterCuts.exhaustiveLimit = 6
            setting.laterCuts.tearCount = 1
            setting.firstCounts = [2, 1]
        }
        return setting
    }

    /// One history, with what each seed puts into it.
    private func explore(_ number: Int) -> PowerCuts.Report {
        var report = PowerCuts.Report()
        for seed in 1...(isShort ? 1 : Self.seedCount) as ClosedRange<UInt64> {
            report.add(PowerCuts.explore(StoreHistory.all(seed: seed)[number], seed: seed, setting: setting))
            if report.finding != nil { break }
        }
        sum.withLock { [report] in $0.add(report) }
        return report
    }
}
