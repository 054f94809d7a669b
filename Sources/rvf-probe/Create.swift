import RVFStore
import SystemPackage

/// `create <path> first=…`: creates stores with numbered names, each with one row, until it is killed.
func runCreator(_ path: FilePath, _ settings: Settings) throws {
    for number in settings.number("first", 0)... {
        // Whoever was to kill it may be gone.
        if Lines.isWaiting { return }
        Lines.say("creating \(number)")
        var writer = try StoreWriter.create(at: FilePath("\(path)-\(number)"), dimension: 1)
        Lines.say("created \(number)")
        try writer.append([Row(id: UInt64(number), vector: [Float(number)])])
        Lines.say("filled \(number)")
        try writer.close()
    }
}

/// `find-created <path>`: opens what `create` creates as soon as it is there, one after the other, until its input ends.
/// Each has to be a whole store.
func runCreationFollower(_ path: FilePath) throws {
    var number = 0
    Lines.say("ready")
    while !Lines.isWaiting {
        do throws(StoreError) {
            let snapshot = try StoreReader(at: FilePath("\(path)-\(number)")).snapshot()
            let vector = try snapshot.vector(id: UInt64(number))
            guard snapshot.dimension == 1, snapshot.liveCount == 0 || vector == [Float(number)] else {
                return Lines.say("failed store \(number) has another row")
            }
            number += 1
        } catch {
            guard case .system(_, _, .noSuchFileOrDirectory) = error else { return Lines.say("failed \(error)") }
            Lines.pause(microseconds: 200)
        }
    }
    Lines.say("followed stores=\(number)")
}
