import RVFLock
import Testing
@Suite struct Smoke {}
