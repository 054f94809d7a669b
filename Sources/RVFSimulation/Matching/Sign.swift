/// A call of a process with what came of it, as far as the model's steps can be told by it. L is the lock file, F the
/// protected file; a draft is a file that has neither name yet.
enum Sign: UInt8, CaseIterable, Sendable {
    case openF, openFAbsent, examineF, lockF, lockFBusy, closeF, closeOldF
    /// Of one that has F open (`lookFOther`: or finds none), and of one that has not.
    case lookF, lookFOther, lookFFound, lookFAbsent
    /// For writing, as one who wants the lock; `openLDenied`: it may not be written.
    case openL, openLAbsent, openLDenied, openLReadOnly, examineL, lockL, lockLBusy, closeL, closeJudgedL
    case lookL, lookLOther, lookLAbsent
    /// The record has our writer id; names this host; or is none, or another host's.
    case readMine, readHere, readElsewhere
    case writeTimestamp, writeRecord, cutL
    /// Looks at L through a descriptor of its own, without guard, so that a person can be told.
    case openForALook, lookInside
    case makeDraft, makeDraftUnsupported, examineDraft, lockDraft, writeDraftRecord, writeDraft, closeDraft
    case publishL, publishLTaken, publishLUnsupported, createL, createLTaken, unnameDraft
    case publishF, publishFTaken, replaceF
    case exchangeIn, exchangeLAbsent, exchangeBack
    case putAside, putAsideAbsent, lookAside, lookAsideOther, lookAsideAbsent, putBack, removeAside
    case sleepSettle, sleepHurry, sleep
    case ask, list, commit, exit
    /// Says, by its own account, that it holds no longer.
    case resign
    /// Of a hand-over: the open files go, or cannot; what comes back, or comes to an end.
    case handOver, cannotHandOver, confirmation, refusal, successorGone
    /// The same from the other side.
    case received, receivedNothing, confirm, refuse
    /// What no step has in it.
    case strange

    /// As a member of a set: there are more than 64.
    var bit: UInt128 { 1 << UInt128(rawValue) }

    var words: String {
        switch self {
        case .openF: "opens the protected file"
        case .openFAbsent: "finds no protected file to open"
        case .examineF: "examines the protected file"
        case .lockF: "locks the protected file"
        case .lockFBusy: "finds the protected file locked"
        case .closeF: "closes the protected file, which it has locked"
        case .closeOldF: "closes the replaced protected file, which it has locked"
        case .lookF: "sees that the protected file's name leads to the file that it has open"
        case .lookFOther: "sees that the protected file's name does not lead to the file that it has open"
        case .lookFFound: "sees that there is a protected file, of which it has none open"
        case .lookFAbsent: "sees that there is no protected file"
        case .openL: "opens the lock file"
        case .openLAbsent: "finds no lock file to open"
        case .openLDenied: "may not open the lock file for writing"
        case .openLReadOnly: "opens the lock file for reading"
        case .examineL: "examines the lock file"
        case .lockL: "locks the lock file"
        case .lockLBusy: "finds the lock file locked"
        case .closeL: "closes the lock file, which it has locked"
        case .closeJudgedL: "closes the lock file that it has exchanged, which it has locked"
        case .lookL: "sees that the lock file's name leads to the file that it has open"
        case .lookLOther: "sees that the lock file's name leads to a file that it has not open"
        case .lookLAbsent: "sees that there is no lock file"
        case .readMine: "reads its own record"
        case .readHere: "reads the record of another process of this host"
        case .readElsewhere: "reads what is no record of this host"
        case .writeTimestamp: "writes the timestamp"
        case .writeRecord: "writes the record"
        case .cutL: "cuts the lock file"
        case .openForALook: "opens the lock file for a look"
        case .lookInside: "looks into the lock file"
        case .makeDraft: "makes a file of its own"
        case .makeDraftUnsupported: "cannot make a file of this kind"
        case .examineDraft: "examines its own file"
        case .lockDraft: "locks its own file"
        case .writeDraftRecord: "writes the record to its own file"
        case .writeDraft: "writes to its own file"
        case .closeDraft: "closes its own file"
        case .publishL: "gives its own file the lock file's name"
        case .publishLTaken: "finds the lock file's name taken"
        case .publishLUnsupported: "cannot give the lock file's name in this way"
        case .createL: "creates the lock file"
        case .createLTaken: "cannot create the lock file, which is there"
        case .unnameDraft: "removes its own file's private name"
        case .publishF: "gives its own file the protected file's name"
        case .publishFTaken: "finds the protected file's name taken"
        case .replaceF: "puts its own file in the protected file's place"
        case .exchangeIn: "exchanges its own file and the lock file"
        case .exchangeLAbsent: "finds no lock file to exchange"
        case .exchangeBack: "exchanges the two back"
        case .putAside: "renames the lock file to a private name"
        case .putAsideAbsent: "finds no lock file to rename"
        case .lookAside: "sees that it has put its own file aside"
        case .lookAsideOther: "sees that it has put aside what is not its own"
        case .lookAsideAbsent: "sees that what it put aside is gone"
        case .putBack: "gives what it put aside the lock file's name again, if that is free"
        case .removeAside: "removes what it put aside"
        case .sleepSettle: "settles"
        case .sleepHurry: "settles in less than the whole time, having judged a young record with the guard byte"
        case .sleep: "sleeps"
        case .ask: "asks whether a process exists"
        case .list: "lists the directory"
        case .commit: "commits"
        case .exit: "ends"
        case .resign: "says that it holds no longer"
        case .handOver: "sends the lock's open files"
        case .cannotHandOver: "cannot send the lock's open files"
        case .confirmation: "is told that its successor holds the lock"
        case .refusal: "is told that its successor does not take the lock"
        case .successorGone: "finds that its successor has ended"
        case .received: "is given the lock's open files"
        case .receivedNothing: "finds that its predecessor has ended"
        case .confirm: "says that it has taken the lock"
        case .refuse: "says that it does not take the lock"
        case .strange: "does what no step of the model does"
        }
    }
}
