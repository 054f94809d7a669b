import RVFStore
import SystemPackage

extension Failure {
    init(_ error: StoreError) {
        let message = "\(error)"
        switch error {
        // The lock's own words say it all.
        case .lock(let error), .lostLock(let error): self.init(error)
        case .damaged(_, let offset, _):
            self.init(.damaged, code: "damaged", message, details: [("offset", .unsigned(offset))])
        case .notAStore(let path, .noManifest(let nearest)):
            // A cut-off store is damaged; any other file never was one.
            guard let offset = nearest?.offset ?? SegmentWalk.endOfWholeSegments(of: path) else {
                self.init(.failed, code: "notAStore", message)
                return
            }
            let place = nearest == nil ? " The last thing that is whole in it ends at byte \(offset)." : ""
            self.init(.damaged, code: "damaged", message + place, details: [("offset", .unsigned(offset))])
        case .notAStore: self.init(.failed, code: "notAStore", message)
        case .exists(_, let found):
            self.init(.failed, code: "exists", message, details: [("found", .string(found.word))])
        case .foreignAppend: self.init(.failed, code: "foreignAppend", message)
        case .invalidRow(_, let index, let id, _):
            self.init(
                .failed, code: "invalidRow", message,
                details: [("row", .integer(Int64(index))), ("id", .unsigned(id))])
        case .invalidQuery: self.init(.failed, code: "invalidQuery", message)
        case .checkpoint(_, let source, let problem):
            var details: [(name: String, value: JSON)] = [("source", .string(source))]
            switch problem {
            case .goesBack(let stored, let given), .otherOffset(let stored, let given):
                details += [("stored", .unsigned(stored)), ("given", .unsigned(given))]
            case .sourceByteCount, .offsetByteCount: break
            }
            self.init(.failed, code: "checkpoint", message, details: details)
        case .invalidMetadata: self.init(.failed, code: "invalidMetadata", message)
        case .metadataWithoutRow(_, let id):
            self.init(.failed, code: "metadataWithoutRow", message, details: [("id", .unsigned(id))])
        case .noSpace(_, let needed, let available):
            self.init(
                .failed, code: "noSpace", message,
                details: [("neededBytes", .unsigned(needed)), ("availableBytes", .unsigned(available))])
        case .hardLinked: self.init(.failed, code: "hardLinked", message)
        case .historyGone: self.init(.failed, code: "historyGone", message)
        case .cancelled: self.init(.failed, code: "cancelled", message)
        case .notReplaced(let error): self.init(error)
        case .notCreated(_, let aside, let error):
            let outcome = Failure(error).outcome
            self.init(outcome, code: "notCreated", message, details: [("movedTo", .string(aside.string))])
        case .limit: self.init(.failed, code: "limit", message)
        case .system(_, _, let error):
            self.init(.failed, code: "system", message, details: [("errno", .integer(Int64(error.rawValue)))])
        }
    }
}

extension ExistingFile {
    /// For scripts; stable.
    var word: String {
        switch self {
        case .store: "store"
        case .emptyFile: "emptyFile"
        case .zeros: "zeros"
        case .brokenStore: "brokenStore"
        case .otherStore: "otherStore"
        case .somethingElse: "somethingElse"
        case .unreadable: "unreadable"
        }
    }
}
