// Made by spec/model/steps from spec/model/lock.pml; the same as spec/model/steps.txt. Do not edit.

/// The steps of the model's writer and successor: for each variant, each label with those that can follow it.
enum ModelSteps {
    static let text = """
        # The steps of the writer and the successor in lock.pml, and what can follow each. Made by spec/model/steps.

        variant plain
        releaseUnlink: dropGuardL killed
        releaseAside: releaseCheck dropGuardL killed
        releaseCheck: releaseUnlink dropGuardL killed
        dropGuardL: dropGuardF released killed
        dropGuardF: released killed
        released: begin finished
        validateF: validateGuardF validated releaseValidate killed
        validateGuardF: validateRecheckF releaseValidate killed
        validateRecheckF: validateAgain releaseValidate killed
        validateAgain: validated releaseValidate killed
        begin: openF finished killed
        openF: guardF publish killed
        guardF: begin recheckF killed
        recheckF: dropGuardF publish killed
        publish: dropGuardF begin openL recheckNoF held killed
        openL: dropGuardF begin publish guardL killed
        guardL: dropGuardF begin recheckL killed
        recheckL: dropGuardL judge killed
        judge: dropGuardL takeoverTimestamp takeoverRecord killed
        takeoverTimestamp: takeoverRecord killed
        takeoverRecord: settle killed
        settle: confirm killed
        confirm: recheckNoF held releaseValidate killed
        recheckNoF: held releaseValidate killed
        held: createF compactGuard validateL releaseValidate
        createF: held validateL killed
        compactGuard: compactRename killed
        compactRename: compactDrop killed
        compactDrop: validateL killed
        validateL: validateF releaseValidate killed
        validated: held renew
        renew: held killed
        releaseValidate: releaseAside dropGuardL killed
        finished: killed

        variant exchange
        releaseUnlink: dropGuardL killed
        releaseAside: releaseCheck dropGuardL killed
        releaseCheck: releaseUnlink dropGuardL killed
        dropGuardL: dropGuardF released killed
        dropGuardF: released killed
        released: begin finished
        validateF: validateGuardF validated releaseValidate killed
        validateGuardF: validateRecheckF releaseValidate killed
        validateRecheckF: validateAgain releaseValidate killed
        validateAgain: validated releaseValidate killed
        begin: openF finished killed
        openF: guardF publish killed
        guardF: begin recheckF killed
        recheckF: dropGuardF publish killed
        publish: dropGuardF begin openL recheckNoF held killed
        openL: dropGuardF begin publish guardL killed
        guardL: dropGuardF begin recheckL killed
        recheckL: dropGuardL judge killed
        judge: dropGuardL takeoverExchange killed
        takeoverCheck: dropGuardL settle killed
        takeoverExchange: dropGuardL takeoverCheck killed
        settle: confirm killed
        confirm: recheckNoF held releaseValidate killed
        recheckNoF: held releaseValidate killed
        held: createF compactGuard validateL releaseValidate
        createF: held validateL killed
        compactGuard: compactRename killed
        compactRename: compactDrop killed
        compactDrop: validateL killed
        validateL: validateF releaseValidate killed
        validated: held renew
        renew: held killed
        releaseValidate: releaseAside dropGuardL killed
        finished: killed

        variant plainCreate
        releaseUnlink: dropGuardL killed
        releaseAside: releaseCheck dropGuardL killed
        releaseCheck: releaseUnlink dropGuardL killed
        dropGuardL: dropGuardF released killed
        dropGuardF: released killed
        released: begin finished
        validateF: validateGuardF validated releaseValidate killed
        validateGuardF: validateRecheckF releaseValidate killed
        validateRecheckF: validateAgain releaseValidate killed
        validateAgain: validated releaseValidate killed
        begin: openF finished killed
        openF: guardF publish killed
        guardF: begin recheckF killed
        recheckF: dropGuardF publish killed
        publish: dropGuardF begin guardOwn openL killed
        guardOwn: dropGuardF begin writeOwn killed
        writeOwn: settle killed
        openL: dropGuardF begin publish guardL killed
        guardL: dropGuardF begin recheckL killed
        recheckL: dropGuardL judge killed
        judge: dropGuardL takeoverTimestamp takeoverRecord killed
        takeoverTimestamp: takeoverRecord killed
        takeoverRecord: settle killed
        settle: confirm killed
        confirm: recheckNoF held releaseValidate killed
        recheckNoF: held releaseValidate killed
        held: createF compactGuard validateL releaseValidate
        createF: held validateL killed
        compactGuard: compactRename killed
        compactRename: compactDrop killed
        compactDrop: validateL killed
        validateL: validateF releaseValidate killed
        validated: held renew
        renew: held killed
        releaseValidate: releaseAside dropGuardL killed
        finished: killed

        variant handOver
        releaseUnlink: dropGuardL killed
        releaseAside: releaseCheck dropGuardL killed
        releaseCheck: releaseUnlink dropGuardL killed
        dropGuardL: dropGuardF released killed
        dropGuardF: released killed
        released: begin finished
        validateF: validateGuardF validated releaseValidate killed
        validateGuardF: validateRecheckF releaseValidate killed
        validateRecheckF: validateAgain releaseValidate killed
        validateAgain: validated releaseValidate killed
        begin: openF finished killed
        openF: guardF publish killed
        guardF: begin recheckF killed
        recheckF: dropGuardF publish killed
        publish: dropGuardF begin openL recheckNoF held killed
        openL: dropGuardF begin publish guardL killed
        guardL: dropGuardF begin recheckL killed
        recheckL: dropGuardL judge killed
        judge: dropGuardL takeoverTimestamp takeoverRecord killed
        takeoverTimestamp: takeoverRecord killed
        takeoverRecord: settle killed
        settle: confirm killed
        confirm: recheckNoF held releaseValidate killed
        recheckNoF: held releaseValidate killed
        held: createF compactGuard validateL send releaseValidate
        createF: held validateL killed
        compactGuard: compactRename killed
        compactRename: compactDrop killed
        compactDrop: validateL killed
        validateL: validateF releaseValidate killed
        validated: held renew
        renew: held killed
        send: awaitAnswer killed
        awaitAnswer: resumeTimestamp finished killed
        resumeTimestamp: resumeRecord killed
        resumeRecord: resumeSettle killed
        resumeSettle: resumeConfirm killed
        resumeConfirm: held releaseValidate killed
        releaseValidate: releaseAside dropGuardL killed
        finished: killed

        variant successor
        releaseUnlink: dropGuardL killed
        releaseAside: releaseCheck dropGuardL killed
        releaseCheck: releaseUnlink dropGuardL killed
        dropGuardL: dropGuardF released killed
        dropGuardF: released killed
        released: finished
        validateF: validateGuardF validated releaseValidate killed
        validateGuardF: validateRecheckF releaseValidate killed
        validateRecheckF: validateAgain releaseValidate killed
        validateAgain: validated releaseValidate killed
        held: validateL releaseValidate
        validateL: validateF releaseValidate killed
        validated: held
        releaseValidate: releaseAside dropGuardL killed
        finished: killed
        receive: finished killed adopt
        adopt: killed adoptTimestamp refuse
        adoptTimestamp: killed adoptRecord
        adoptRecord: killed adoptSettle
        adoptSettle: killed adoptValidate
        adoptValidate: killed adoptConfirm refuse
        adoptConfirm: held killed
        refuse: finished killed
        """
}
