import RVFHost
import RVFStore

/// A power cut after which the store is not what it should be.
package struct PowerCutFinding: Error, Sendable {
    package var violation: String
    /// What was done, what of it the cut left, and the same for each cut before it.
    package var story: [String]
}

/// Cuts the power at every moment of a history, opens what that leaves, and cuts again while it is being opened.
package struct PowerCuts {
    package struct Setting: Sendable {
        package var cuts = CutSetting()
        /// The same for cuts during what follows a cut.
        package var laterCuts = CutSetting()
        /// So many images are cut again while they are opened for writing, at the first level and at the second;
        package var firstCounts = [60, 20]
        /// and then one of so many. Those of which the opening has to write something count eight times.
        package var strides = [1000, 10_000]
        /// Of so many moments of a history one is gone through.
        package var momentStride = 1

        package init() {}
    }

    package struct Report: Sendable {
        /// Cuts that were made; many of them leave the same.
        package var cutCount = 0
        /// Images that differ, each opened by a reader, by a writer that goes on, and by a reader again.
        package var imageCount = 0
        /// Those among them that stand for more cuts than can be gone through.
        package var sampleCount = 0
        /// Those that a cut during the opening after a cut left.
        package var laterImageCount = 0
        package var reopeningCount = 0
        /// Openings for writing that had to write something.
        package var recoveryCount = 0
        /// How often a file took the store's name from another.
        package var replacementCount = 0
        package var finding: PowerCutFinding?

        package init() {}

        package mutating func add(_ other: Report) {
            cutCount += other.cutCount
            imageCount += other.imageCount
            sampleCount += other.sampleCount
            laterImageCount += other.laterImageCount
            reopeningCount += other.reopeningCount
            recoveryCount += other.recoveryCount
            replacementCount += other.replacementCount
            finding = finding ?? other.finding
        }
    }

    /// A cut, and what led to it.
    private struct Place {
        var history: StoreHistory
        var depth = 0
        /// What the cuts before left. Only told when something is found.
        var story: () -> [String] = { [] }
    }

    private let setting: Setting
    private let seed: UInt64
    private let defect: DiskDefect?
    private var generator: SplitMix64
    private var report = Report()
    /// How many are to be cut again at once, and after how many the next one is.
    private var leftCounts: [Int]
    private var dueCounts: [Int]

    private init(_ setting: Setting, seed: UInt64, defect: DiskDefect?) {
        self.setting = setting
        self.seed = seed
        self.defect = defect
        generator = SplitMix64(seed: seed)
        leftCounts = setting.firstCounts
        dueCounts = setting.strides
    }

    /// Goes through all cuts of a history; ends at the first that shows a violation.
    package static func explore(
        _ history: StoreHistory, seed: UInt64, setting: Setting = Setting(), defect: DiskDefect? = nil
    ) -> Report {
        var cuts = PowerCuts(setting, seed: seed, defect: defect)
        let disk = SimulatedDisk(history.beginning, hasUnnamedFiles: history.hasUnnamedFiles)
        let machine = DiskMachine(disk, boot: 0, seed: seed, defect: defect, keepsJournal: true)
        do throws(PowerCutFinding) {
            _ = try cuts.run(history, on: machine, Place(history: history))
            cuts.report.replacementCount = machine.replacementCount
            try cuts.cut(machine.takeJournal(), Place(history: history))
        } catch {
            cuts.report.finding = error
        }
        return cuts.report
    }

    private func run(
        _ history: StoreHistory, on machine: DiskMachine, _ place: Place
    ) throws(PowerCutFinding) -> HistoryRun {
        var run = HistoryRun(history, on: machine)
        do throws(HistoryFailure) {
            try run.run()
        } catch {
            throw finding(place.depth == 0 ? "without a cut: \(error.what)" : "afterwards: \(error.what)", place)
        }
        return run
    }

    private func finding(_ violation: String, _ place: Place) -> PowerCutFinding {
        PowerCutFinding(violation: violation, story: ["\(place.history.name), seed \(seed)"] + place.story())
    }

    // MARK: Cutting

    private mutating func cut(_ moments: [DiskMachine.Moment], _ place: Place) throws(PowerCutFinding) {
        let states = place.history.states
        /// The first that is the same.
        let numbers = states.map { states.firstIndex(of: $0) }
        /// By digest of an image, the number of its state.
        var seen: [Int: Int] = [:]
        for (number, moment) in moments.enumerated() where number % setting.momentStride == 0 {
            var maker = ImageMaker(moment.medium)
            let enumeration = CutEnumeration(moment, place.depth == 0 ? setting.cuts : setting.laterCuts)
            var random = generator
            try enumeration.forEach(maker, &random) { (cut) throws(PowerCutFinding) in
                report.cutCount += 1
                let image = maker.image(of: cut)
                let here = Place(history: place.history, depth: place.depth) {
                    place.story() + Self.story(of: cut, at: moment, number: number, of: moments)
                }
                let known = seen[image.digest]
                let found: Int
                if let known {
                    found = known
                } else {
                    if place.depth > 0 { report.laterImageCount += 1 } else if cut.isSample { report.sampleCount += 1 }
                    let files = Dictionary(uniqueKeysWithValues: image.files.map { ($0.name, $0.content.bytes) })
                    found = try examine(DiskImage(files), here)
                    seen[image.digest] = found
                }
                if !moment.states.contains(where: { numbers[$0] == found }) {
                    throw finding(
                        "the store is at state \(found) (\(states[found])), and should be at \(moment.states)", here)
                }
            }
            generator = random
        }
    }

    private static func story(
        of cut: Cut, at moment: DiskMachine.Moment, number: Int, of moments: [DiskMachine.Moment]
    ) -> [String] {
        let steps = moments[...number].suffix(12).map { "  \($0.step)" }
        let changes = moment.medium.pending.enumerated().map { position, change in
            let tear = cut.tear.flatMap { $0.change == position ? $0 : nil }
            let fate = tear.map { "in part (\($0.pieces))" } ?? (cut.keeps(position) ? "there" : "lost")
            return "  \(fate): \(moment.medium.story(of: change))"
        }
        return ["up to step \(number) of \(moments.count - 1):"] + steps + ["then the power goes off; of what was not synced"]
            + changes + (cut.isExtended ? ["  lengths are as if all were there"] : [])
    }

    // MARK: What a cut leaves

    /// Opens an image by a reader, and by a writer that commits once more.
    ///
    /// - Returns: the number of the state that it shows.
    private mutating func examine(_ image: DiskImage, _ place: Place) throws(PowerCutFinding) -> Int {
        report.imageCount += 1
        let before = DiskMachine.wallClock(ofBoot: place.depth)
        let disk = SimulatedDisk(image, hasUnnamedFiles: place.history.hasUnnamedFiles, nowNanoseconds: before)
        let isLast = place.depth >= setting.strides.count
        let machine = DiskMachine(disk, boot: place.depth + 1, seed: seed, defect: defect?.later, keepsJournal: !isLast)
        let state = try look(machine, place)
        guard let number = place.history.states.firstIndex(of: state) else {
            throw finding("a reader finds what was never there: \(state)", place)
        }
        if let damaged = place.history.beginning.files[Scene.dataName], !image.files.values.contains(damaged) {
            throw finding("the damaged file that was there is gone", place)
        }
        let after = Self.history(after: state, of: place.history, depth: place.depth)
        var next = Place(history: after, depth: place.depth + 1) { place.story() + ["the machine starts again"] }
        next.history.beginning = place.history.beginning
        let run = try run(after, on: machine, next)
        if run.openingWrote { report.recoveryCount += 1 }
        try checkEnd(machine, next)
        if !isLast, isDue(place.depth, weight: run.openingWrote ? 8 : 1) { try cut(machine.takeJournal(), next) }
        return number
    }

    private mutating func isDue(_ depth: Int, weight: Int) -> Bool {
        if leftCounts[depth] > 0 {
            leftCounts[depth] -= 1
            return true
        }
        dueCounts[depth] -= weight
        if dueCounts[depth] > 0 { return false }
        dueCounts[depth] = setting.strides[depth]
        return true
    }

    private static func history(after state: StoreState, of history: StoreHistory, depth: Int) -> StoreHistory {
        var after = StoreHistory(after: state, of: history)
        after.commit { $0.upsert([5_000_000 + UInt64(depth)], version: depth) }
        return after
    }

    private mutating func look(_ machine: DiskMachine, _ place: Place) throws(PowerCutFinding) -> StoreState {
        report.reopeningCount += 1
        guard let inode = machine.disk.inode(named: Scene.dataName) else { return .absent }
        do throws(StoreError) {
            let reader = try StoreReaderCore(host: DiskHost(machine), path: Scene.data, options: ReaderOptions())
            return .holding(try StoreContent(reader.snapshot))
        } catch {
            let isAsBefore = machine.disk.files.inodes[inode]?.bytes == place.history.beginning.files[Scene.dataName]
            if case .notAStore = error, isAsBefore { return .damaged }
            throw finding("a reader cannot open it: \(error)", place)
        }
    }

    /// After the writer has closed: what it committed is there, and nothing else is left.
    private mutating func checkEnd(_ machine: DiskMachine, _ place: Place) throws(PowerCutFinding) {
        report.reopeningCount += 1
        let state = try look(machine, place)
        if state != place.history.states.last {
            throw finding("after one more commit a reader finds \(state)", place)
        }
        let disk = machine.disk
        let left = disk.files.names(in: disk.directory).filter {
            $0 != Scene.dataName && !$0.hasPrefix(Scene.dataName + ".damaged")
        }
        if !left.isEmpty { throw finding("files are left behind: \(left.joined(separator: ", "))", place) }
    }
}
