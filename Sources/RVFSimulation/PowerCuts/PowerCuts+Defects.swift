extension PowerCuts {
    /// Looks for what a defect does in all histories, until one shows it.
    package static func search(for defect: DiskDefect, setting: Setting = Setting()) -> Report {
        var all = Report()
        for history in StoreHistory.all(seed: 1) {
            all.add(explore(history, seed: 1, setting: setting, defect: defect))
            if all.finding != nil { break }
        }
        return all
    }
}
