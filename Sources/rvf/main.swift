import RVFLock
import SystemPackage
func run() throws {
let path = FilePath(CommandLine.arguments[1])
let lock = try WriterLock.acquire(protecting: path)
print("held", lock.writerID)
print(LockStatus(of: path))
do { _ = try WriterLock.acquire(protecting: path) } catch { print(error) }
try lock.validate()
let c = ContinuousClock()
var t = c.measure { for _ in 0..<100000 { try! lock.validate() } }
print("validate", t / 100000)
t = c.measure { for _ in 0..<100000 { try! lock.renew() } }
print("renew", t / 100000)
print(LockStatus(of: path))
try lock.release()
print(LockStatus(of: path))
t = c.measure { for _ in 0..<20000 { let l = try! WriterLock.acquire(protecting: path); try! l.release() } }
print("pair", t / 20000)
}
try run()
