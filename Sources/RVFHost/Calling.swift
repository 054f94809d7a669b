import SystemPackage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The error of the call that has just failed.
func lastErrno() -> Errno {
    let error = Errno(rawValue: errno)
    // A closed or foreign descriptor, or a bad pointer, is a bug of this package, and going on could hit
    // another file that got the same number.
    precondition(error != .badFileDescriptor && error != .badAddress, "bad descriptor or address in a system call")
    return error
}

/// Repeats a call for as long as a signal interrupts it.
@inline(__always)
func retrying<Value: FixedWidthInteger & SignedInteger>(_ call: () -> Value) throws(Errno) -> Value {
    while true {
        let value = call()
        if value >= 0 { return value }
        let error = lastErrno()
        if error != .interrupted { throw error }
    }
}

/// Hands a path's bytes to a C call that may fail; `withPlatformString` itself would widen the error's type.
@inline(__always)
func calling<Value: FixedWidthInteger & SignedInteger>(
    _ path: FilePath, _ call: (UnsafePointer<CChar>) -> Value
) throws(Errno) -> Value {
    let result: Result<Value, Errno> = unsafe path.withPlatformString { text in
        do throws(Errno) {
            return .success(try retrying { unsafe call(text) })
        } catch {
            return .failure(error)
        }
    }
    return try result.get()
}

extension timespec {
    /// Nanoseconds since the clock's zero, held at the ends of Int64 (a file's time may be any 64-bit second).
    var nanoseconds: Int64 {
        let (scaled, overflow) = Int64(tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return tv_sec < 0 ? .min : .max }
        let (sum, carried) = scaled.addingReportingOverflow(Int64(tv_nsec))
        return carried ? .max : sum
    }
}
