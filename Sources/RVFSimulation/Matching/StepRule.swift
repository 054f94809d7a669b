/// How the code makes a step of the model: the calls in their order, and where the process goes from there.
///
/// These are the folding rules of `spec/model/README.md`. A label may have several rules, one for each outcome.
struct StepRule: Sendable {
    struct Part: Sendable {
        enum Count: Sendable { case once, optional, any }

        var signs: UInt128
        var count = Count.once
        /// Whether the model's step is made in this call: the last such call that is made.
        var isDecisive = false
    }

    var label: String
    var parts: [Part]
    var exits: [String]

    init(_ label: String, _ parts: [Part], to exits: [String]) {
        self.label = label
        self.parts = parts
        self.exits = exits
    }
}

private typealias Part = StepRule.Part

private func one(_ signs: Sign...) -> Part { Part(signs: signs.reduce(0) { $0 | $1.bit }) }
private func decisive(_ signs: Sign...) -> Part { Part(signs: signs.reduce(0) { $0 | $1.bit }, isDecisive: true) }
private func optional(_ signs: Sign...) -> Part { Part(signs: signs.reduce(0) { $0 | $1.bit }, count: .optional) }
private func any(_ signs: Sign...) -> Part { Part(signs: signs.reduce(0) { $0 | $1.bit }, count: .any) }

extension StepRule {
    /// Looking for a person's sake, without a guard: who has the lock that one did not get, or has lost.
    private static let onlooking = any(
        .lookL, .lookLOther, .lookLAbsent, .openForALook, .openLAbsent, .lookInside, .ask, .sleep, .sleepHurry)

    /// A new protected file that is not published, since the lock is lost.
    private static let draftGivenUp = any(.unnameDraft, .closeDraft)

    /// A complete and guarded file, made in sight of nobody.
    private static let draft = [
        one(.makeDraft), one(.examineDraft), one(.lockDraft), one(.writeDraftRecord),
    ]
    /// The same where unnamed files are not to be had.
    private static let namedDraft = [one(.makeDraftUnsupported)] + draft
    /// What remains of a draft whose name was taken.
    private static let dropDraft = [optional(.unnameDraft), one(.closeDraft)]

    static let all: [StepRule] =
        trying + publishing + takingOver + holding + validating + releasing + handingOver + succeeding

    private static let trying = [
        StepRule("begin", [onlooking], to: ["openF", "finished"]),
        StepRule("openF", [any(.openFAbsent, .lookFFound), decisive(.openF), one(.examineF)], to: ["guardF"]),
        StepRule("openF", [any(.openFAbsent, .lookFFound), one(.openFAbsent), decisive(.lookFAbsent)], to: ["publish"]),
        StepRule("guardF", [decisive(.lockF)], to: ["recheckF"]),
        StepRule("guardF", [decisive(.lockFBusy)], to: ["begin"]),
        StepRule("recheckF", [decisive(.lookF)], to: ["publish"]),
        StepRule("recheckF", [decisive(.lookFOther)], to: ["dropGuardF"]),
        StepRule("openL", [optional(.lookLOther), decisive(.openL), one(.examineL)], to: ["guardL"]),
        StepRule(
            "openL", [optional(.lookLOther), one(.openLDenied), decisive(.openLReadOnly), one(.examineL)], to: ["guardL"]),
        StepRule("openL", [optional(.lookLOther), decisive(.openLAbsent)], to: ["dropGuardF", "begin"]),
        StepRule("openL", [decisive(.lookLAbsent)], to: ["publish"]),
        StepRule("guardL", [decisive(.lockL)], to: ["recheckL"]),
        StepRule("guardL", [decisive(.lockLBusy)], to: ["dropGuardF", "begin"]),
        StepRule("recheckL", [decisive(.lookL)], to: ["judge"]),
        StepRule("recheckL", [decisive(.lookLOther, .lookLAbsent)], to: ["dropGuardL"]),
        // A record of this host is judged by whether its process exists.
        StepRule("judge", looksInside(.readHere) + [decisive(.ask), any(.ask)], to: afterJudging),
        StepRule("judge", looksInside(.readMine, .readElsewhere), to: afterJudging),
    ]

    private static let afterJudging = ["dropGuardL", "takeoverTimestamp", "takeoverRecord", "takeoverExchange"]

    /// The record between two looks at the file's times, as often as it looks like a write under way.
    private static func looksInside(_ last: Sign...) -> [Part] {
        let read = Part(signs: last.reduce(0) { $0 | $1.bit })
        return [
            any(.examineL, .readMine, .readHere, .readElsewhere, .sleep, .sleepHurry), one(.examineL), read, decisive(.examineL),
        ]
    }

    private static let publishing =
        [StepRule("publish", [decisive(.lookLOther)], to: ["openL"])]
        + [draft, namedDraft, namedDraft + [one(.publishLUnsupported)]].flatMap { draft in
            let start = [optional(.lookLAbsent)] + draft
            return [
                StepRule("publish", start + [decisive(.publishL), optional(.removeAside)], to: ["held", "recheckNoF"]),
                StepRule(
                    "publish", start + [decisive(.publishLTaken), optional(.lookLOther, .lookLAbsent)] + dropDraft,
                    to: ["openL", "dropGuardF", "begin"]),
            ]
        } + [
            StepRule("publish", [optional(.lookLAbsent)] + noDraftWorks + [decisive(.createL)], to: ["guardOwn"]),
            StepRule("publish", [optional(.lookLAbsent)] + noDraftWorks + [decisive(.createLTaken)], to: ["openL", "dropGuardF", "begin"]),
            StepRule("guardOwn", [one(.examineL), any(.lockLBusy, .sleep, .sleepHurry), decisive(.lockL)], to: ["writeOwn"]),
            StepRule("guardOwn", [one(.examineL), any(.lockLBusy, .sleep, .sleepHurry), decisive(.lockLBusy), optional(.sleep)], to: ["dropGuardF", "begin"]),
            StepRule("writeOwn", [decisive(.writeRecord)], to: ["settle"]),
        ]

    private static let noDraftWorks =
        namedDraft + [one(.publishLUnsupported), one(.publishLUnsupported), optional(.lookLAbsent, .lookLOther)] + dropDraft

    private static let takingOver = [
        StepRule("takeoverTimestamp", [decisive(.writeTimestamp)], to: ["takeoverRecord"]),
        StepRule("takeoverRecord", [any(.cutL), decisive(.writeRecord), any(.cutL)], to: ["settle"]),
        StepRule(
            "takeoverExchange", [one(.makeDraft), one(.lockDraft), one(.writeDraftRecord), one(.examineDraft), decisive(.exchangeIn)],
            to: ["takeoverCheck"]),
        StepRule(
            "takeoverExchange",
            [one(.makeDraft), one(.lockDraft), one(.writeDraftRecord), one(.examineDraft), decisive(.exchangeLAbsent)] + dropDraft,
            to: ["dropGuardL"]),
        StepRule("takeoverCheck", [one(.lookAside), one(.removeAside), decisive(.closeJudgedL)], to: ["settle"]),
        StepRule("takeoverCheck", [one(.lookAsideOther), one(.exchangeLAbsent), decisive(.putBack), one(.closeDraft)], to: ["dropGuardL"]),
        StepRule("takeoverCheck", [one(.lookAsideOther), decisive(.exchangeBack), any(.lookAside, .lookAsideOther), optional(.unnameDraft), one(.closeDraft)], to: ["dropGuardL"]),
        StepRule("settle", [decisive(.sleepSettle, .sleepHurry)], to: ["confirm"]),
        StepRule("confirm", [decisive(.lookL), one(.readMine)], to: ["held", "recheckNoF"]),
        StepRule("confirm", [decisive(.lookL), one(.readHere, .readElsewhere)], to: ["releaseValidate"]),
        StepRule("confirm", [decisive(.lookLOther, .lookLAbsent)], to: ["releaseValidate"]),
        StepRule("recheckNoF", [decisive(.lookFAbsent)], to: ["held"]),
        StepRule("recheckNoF", [decisive(.lookFFound)], to: ["releaseValidate"]),
    ]

    /// The holder's own affairs, the making of a file that is to become F, and the sweep.
    private static let affairs = any(
        .lookF, .lookFOther, .examineF,
        .sleep, .sleepSettle, .sleepHurry, .list, .ask, .makeDraft, .makeDraftUnsupported, .examineDraft, .writeDraft, .unnameDraft,
        .closeDraft)

    private static let holding = [
        StepRule("held", [affairs], to: ["validateL", "createF", "compactGuard", "send", "releaseValidate"]),
        // An F has appeared while one was made, which is of no use then.
        StepRule("held", [affairs, one(.lockDraft), one(.examineDraft), one(.closeDraft), affairs], to: ["validateL", "releaseValidate"]),
        StepRule("createF", [one(.lockDraft), one(.examineDraft), decisive(.publishF)], to: ["validateL"]),
        StepRule("createF", [one(.lockDraft), one(.examineDraft), decisive(.publishFTaken)], to: ["held"]),
        StepRule("compactGuard", [decisive(.lockDraft), one(.examineDraft)], to: ["compactRename"]),
        StepRule("compactRename", [one(.lookF), decisive(.replaceF)], to: ["compactDrop"]),
        StepRule("compactDrop", [decisive(.closeOldF)], to: ["validateL"]),
        StepRule("renew", [decisive(.writeTimestamp)], to: ["held"]),
    ]

    private static let validating = [
        StepRule("validateL", [decisive(.lookL), one(.readMine)], to: ["validateF"]),
        StepRule("validateL", [decisive(.lookL), one(.readHere, .readElsewhere), onlooking], to: ["releaseValidate"]),
        StepRule("validateL", [decisive(.lookLOther, .lookLAbsent), onlooking], to: ["releaseValidate"]),
        StepRule("validateF", [decisive(.lookF, .lookFAbsent)], to: ["validated"]),
        StepRule("validateF", [decisive(.lookFOther)], to: ["releaseValidate"]),
        StepRule("validateF", [decisive(.lookFFound)], to: ["validateGuardF"]),
        StepRule("validateGuardF", [one(.openF), any(.lockFBusy, .sleep, .sleepHurry), decisive(.lockF)], to: ["validateRecheckF"]),
        StepRule("validateGuardF", [one(.openF), any(.lockFBusy, .sleep, .sleepHurry), decisive(.lockFBusy)], to: ["releaseValidate"]),
        StepRule("validateRecheckF", [one(.examineF), decisive(.lookF)], to: ["validateAgain"]),
        StepRule("validateRecheckF", [one(.examineF), one(.lookFOther), decisive(.closeF)], to: ["releaseValidate"]),
        StepRule("validateAgain", [decisive(.lookL), one(.readMine)], to: ["validated"]),
        StepRule("validateAgain", [decisive(.lookL), one(.readHere, .readElsewhere), onlooking], to: ["releaseValidate"]),
        StepRule("validateAgain", [decisive(.lookLOther, .lookLAbsent), onlooking], to: ["releaseValidate"]),
        // A commit follows a validation and nothing else.
        StepRule("validated", [any(.commit)], to: ["held", "renew"]),
    ]

    private static let releasing = [
        // Whoever has held says so first; a try that gives up what it has published has not held.
        StepRule("releaseValidate", [draftGivenUp, optional(.resign), decisive(.lookL), one(.readMine)], to: ["releaseAside"]),
        StepRule("releaseValidate", [draftGivenUp, optional(.resign), decisive(.lookL), one(.readHere, .readElsewhere), onlooking], to: ["dropGuardL"]),
        StepRule("releaseValidate", [draftGivenUp, optional(.resign), decisive(.lookLOther, .lookLAbsent), onlooking], to: ["dropGuardL"]),
        StepRule("releaseAside", [decisive(.putAside)], to: ["releaseCheck"]),
        StepRule("releaseAside", [decisive(.putAsideAbsent)], to: ["dropGuardL"]),
        StepRule("releaseCheck", [decisive(.lookAside), one(.readMine)], to: ["releaseUnlink"]),
        StepRule("releaseCheck", [one(.lookAside), one(.readHere, .readElsewhere), decisive(.putBack), onlooking], to: ["dropGuardL"]),
        StepRule("releaseCheck", [one(.lookAsideOther), decisive(.putBack), onlooking], to: ["dropGuardL"]),
        StepRule("releaseUnlink", [decisive(.removeAside)], to: ["dropGuardL"]),
        StepRule("dropGuardL", [decisive(.closeL)], to: ["dropGuardF", "released"]),
        StepRule("dropGuardF", [decisive(.closeF)], to: ["released"]),
        StepRule("released", [], to: ["begin", "finished"]),
        StepRule("finished", [decisive(.exit)], to: []),
    ]

    private static let handingOver = [
        StepRule("send", [decisive(.handOver)], to: ["awaitAnswer"]),
        // Where there is nobody to send to, both steps are one call, which is taken twice.
        StepRule("send", [decisive(.cannotHandOver)], to: ["awaitAnswer"]),
        StepRule("awaitAnswer", [decisive(.cannotHandOver)], to: ["resumeTimestamp"]),
        StepRule("awaitAnswer", [optional(.refusal), any(.successorGone), decisive(.successorGone)], to: ["resumeTimestamp"]),
        StepRule("awaitAnswer", [decisive(.confirmation), one(.closeL), optional(.closeF)], to: ["finished"]),
        StepRule("resumeTimestamp", [one(.readMine), decisive(.writeTimestamp)], to: ["resumeRecord"]),
        StepRule("resumeRecord", [decisive(.writeRecord)], to: ["resumeSettle"]),
        StepRule("resumeSettle", [decisive(.sleepSettle)], to: ["resumeConfirm"]),
        StepRule("resumeConfirm", [decisive(.lookL), one(.readMine), one(.lookF, .lookFAbsent)], to: ["held"]),
        StepRule("resumeConfirm", [decisive(.lookL), one(.readMine), one(.lookFOther)], to: ["releaseValidate"]),
        StepRule("resumeConfirm", [decisive(.lookL), one(.readHere, .readElsewhere), onlooking], to: ["releaseValidate"]),
        StepRule("resumeConfirm", [decisive(.lookLOther, .lookLAbsent), onlooking], to: ["releaseValidate"]),
    ]

    /// Whatever it finds that is not as it should be: it has not written yet, or gives the lock back.
    private static let doubting = any(
        .examineL, .lockL, .lookL, .lookLOther, .lookLAbsent, .examineF, .lockF, .lookF, .lookFOther, .lookFFound, .lookFAbsent,
        .readMine, .readHere, .readElsewhere, .openForALook, .openLAbsent, .lookInside, .ask)

    private static let succeeding = [
        StepRule("receive", [decisive(.received)], to: ["adopt"]),
        StepRule("receive", [decisive(.receivedNothing)], to: ["finished"]),
        StepRule(
            "adopt", [one(.examineL), one(.lockL), one(.lookL), decisive(.lookF), one(.examineF), one(.lockF), one(.readMine)],
            to: ["adoptTimestamp"]),
        StepRule(
            "adopt", [one(.examineL), one(.lockL), one(.lookL), decisive(.lookFAbsent), any(.lookFAbsent), one(.readMine)],
            to: ["adoptTimestamp"]),
        StepRule("adopt", [doubting], to: ["refuse"]),
        StepRule("adoptTimestamp", [decisive(.writeTimestamp)], to: ["adoptRecord"]),
        StepRule("adoptRecord", [decisive(.writeRecord)], to: ["adoptSettle"]),
        StepRule("adoptSettle", [decisive(.sleepSettle)], to: ["adoptValidate"]),
        StepRule("adoptValidate", [decisive(.lookL), one(.readMine), one(.lookF, .lookFAbsent)], to: ["adoptConfirm"]),
        StepRule("adoptValidate", [doubting], to: ["refuse"]),
        StepRule("adoptConfirm", [decisive(.confirm)], to: ["held"]),
        // The guards go before the answer.
        StepRule("refuse", [one(.closeL), optional(.closeF), decisive(.refuse)], to: ["finished"]),
    ]
}
