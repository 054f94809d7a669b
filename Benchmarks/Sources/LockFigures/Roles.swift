import FigureSupport
import Foundation
import RVFLock
import SystemPackage

/// Holds until it is killed or its input ends.
func hold(_ path: FilePath) throws {
    let lock = try WriterLock.acquire(protecting: path)
    say("held")
    _ = readLine()
    try lock.release()
}

/// Waits for the lock again and again, and says when it got it.
func waitForLock(_ path: FilePath) throws {
    while readLine() == "wait" {
        let options = LockOptions(wait: .forever) { event in
            if case .waiting = event { say("waiting") }
        }
        let lock = try WriterLock.acquire(protecting: path, options: options)
        say("\(now())")
        try lock.release()
    }
}

/// Takes the lock as often as it can for some seconds, holds it for a moment, and says each interval: when it
/// began to wait, from when to when it held.
func contend(_ path: FilePath, seconds: Double, holdSeconds: Double) throws {
    let end = now() + seconds
    var lines: [String] = []
    while now() < end {
        let asked = now()
        let lock = try WriterLock.acquire(protecting: path, options: LockOptions(wait: .forever))
        let from = now()
        while now() < from + holdSeconds {}
        try lock.validate()
        let to = now()
        try lock.release()
        lines.append("\(asked) \(from) \(to)")
    }
    say(lines.joined(separator: "\n"))
    say("end")
}
