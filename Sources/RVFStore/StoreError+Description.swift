import RVFLock
import SystemPackage

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAStore(let path, let what):
            "\(path) cannot be read as a store: \(what). If it should be one, restore it from a copy."
        case .damaged(let path, let offset, let what):
            "\(path) is damaged at byte \(offset): \(what). "
                + "What is elsewhere can still be read; restore the rest from a copy."
        case .exists(let path, let file):
            "No store was created at \(path): \(file)"
        case .lock(let error): "The store was not opened for writing: \(error)."
        case .lostLock(let error): "Nothing was committed: \(error)."
        case .foreignAppend(let path, let what):
            "Nothing was committed to \(path), since another program changed it behind the lock: \(what). "
                + "Open the store again to go on from what it holds now."
        case .invalidRow(let path, let index, let id, let problem):
            "Nothing was written to \(path): row \(index) of the batch, id \(id), \(problem)."
        case .invalidQuery(let path, let problem): "\(path) was not searched: \(problem)."
        case .checkpoint(let path, let source, let problem):
            "Nothing was written to \(path): the checkpoint of source \"\(source)\" \(problem)."
        case .invalidMetadata(let path, let error):
            "Nothing was written to \(path). \(error)"
        case .metadataWithoutRow(let path, let id):
            "Nothing was written to \(path): metadata was given for id \(id), which has no row there. "
                + "Add its row in the same transaction, or before."
        case .limit(let path, let limit):
            "\(path): \(limit)"
        case .noSpace(let path, let needed, let available):
            "\(path): nothing was written, since a new file of \(needed) bytes is needed, and there is room for "
                + "\(available). Free some space, then try again."
        case .hardLinked(let path):
            "\(path) was not replaced, since it has other hard links, which would keep the old content. "
                + "Remove them, then try again."
        case .historyGone(let path, let what):
            "\(path): what changed since the earlier state cannot be told, since \(what). "
                + "Read all rows anew, and go on from there."
        case .cancelled(let path): "\(path): cancelled; nothing was changed."
        case .notReplaced(let error): "The store was not replaced by its compacted form: \(error)."
        case .notCreated(let path, let aside, let error):
            "The store \(path) was not created, or not durably: \(error). What was there before is \(aside) now."
        case .system(let operation, let path, let error):
            Self.message(operation, path, error)
        }
    }

    private static func message(_ operation: StoreOperation, _ path: FilePath, _ error: Errno) -> String {
        let advice =
            switch error {
            case .noSuchFileOrDirectory: " Check the path, or create the store first."
            case .permissionDenied, .notPermitted: " Ask for permission to the file and its directory."
            case .noSpace: " Free some space, then try again: nothing that was committed is lost."
            case .readOnlyFileSystem: " Only reading is possible there."
            default: operation == .moveAside ? " Move it away by hand, then try again." : ""
            }
        return "Could not \(operation.rawValue) \(path): \(error).\(advice)"
    }
}

extension NotAStore: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "it is empty"
        case .notARegularFile: "it is not a regular file"
        case .noManifest(nil): "nowhere in it stands a manifest"
        case .noManifest(let rejected?):
            "it holds no manifest that can be believed; the last thing like one, at byte \(rejected.offset), "
                + rejected.why
        }
    }
}

extension ExistingFile: CustomStringConvertible {
    public var description: String {
        switch self {
        case .store: "a store is there already, and was left as it is. Open it, or choose another path."
        case .emptyFile:
            "an empty file is there, perhaps from a create that was interrupted. Remove it, or choose another path."
        case .zeros(let byteCount):
            "a file of \(byteCount) zero bytes is there, perhaps from a create that was interrupted by a power cut. "
                + "Remove it, or choose another path."
        case .brokenStore(let what):
            "what is there begins like a store and is none, from a create that was interrupted or through damage: "
                + "\(what). It was left as it is. Repair it into another file if it held rows; or move it away."
        case .otherStore(let rejected):
            "what is there may be a store that only another version or program can read: what looks like its manifest, "
                + "at byte \(rejected.offset), \(rejected.why). It was left as it is. Choose another path."
        case .unreadable(let error): "something is there that cannot be read (\(error)). Choose another path."
        case .somethingElse(let what):
            "a file is there that is no store: \(what). It was left as it is. Move it away, or choose another path."
        }
    }
}

extension InvalidRow: CustomStringConvertible {
    public var description: String {
        switch self {
        case .dimension(let expected, let found): "has \(found) components, where the store's rows have \(expected)"
        case .notFinite(let component): "has a component that is no finite number, at position \(component)"
        case .repeatedID(let firstIndex): "has the id of row \(firstIndex)"
        }
    }
}

extension InvalidQuery: CustomStringConvertible {
    public var description: String {
        switch self {
        case .dimension(let expected, let found):
            "the query has \(found) components, where the store's rows have \(expected)"
        case .notFinite(let component):
            "the query has a component that is no finite number, at position \(component)"
        case .unknownMetric(let metric):
            "its distances are measured by metric \(metric.rawValue), which this version does not know"
        }
    }
}

extension CheckpointProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .goesBack(let stored, let given):
            "counts \(given) events, where the store has \(stored) already. Go on from there, or restore the checkpoint "
                + "if the earlier one is meant"
        case .otherOffset(let stored, let given):
            "counts \(given) events, as the stored one counts \(stored), and has another offset"
        case .sourceByteCount(let count): "has a name of \(count) bytes; 1 to 255 are possible"
        case .offsetByteCount(let count): "has an offset of \(count) bytes; at most 4096 are possible"
        }
    }
}

extension StoreLimit: CustomStringConvertible {
    public var description: String {
        switch self {
        case .dimension(let dimension):
            "a dimension of \(dimension) was asked for; 1 to 65535 are possible."
        case .manifest(let byteCount, let maximum):
            "nothing was written, since the manifest would take \(byteCount) bytes, and other readers find none that "
                + "is longer than \(maximum). Compact the store, then try again."
        case .rows(let maximum): "the store holds more than \(maximum) rows, more than can be indexed."
        case .checkpoints(let byteCount, let maximum):
            "nothing was written, since the checkpoints of all sources would take \(byteCount) bytes, and \(maximum) are "
                + "possible. Remove those of sources that are no more."
        case .epochs: "nothing was written, since the epoch counter has come to its end. Compact into a new store."
        case .fileSize: "nothing was written, since the file would grow beyond what can be addressed."
        case .layout:
            "nothing was written, since other readers would mistake something for the manifest in every layout tried."
        case .lookalikes: "so many bytes look like manifests that looking for the right one was given up."
        }
    }
}
