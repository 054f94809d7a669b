import RVFFuzz

#if FUZZING
    /// Of libFuzzer: calls back with input after input, and ends the process.
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt

    /// For the callback, which can carry nothing along. Set once, before the first call.
    nonisolated(unsafe) private var searched: FuzzTarget?

    func search(_ target: FuzzTarget, _ arguments: [String]) {
        unsafe searched = target
        // They live as long as the process.
        var pointers = unsafe (["rvf-fuzz"] + arguments).map { text in
            let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: text.utf8.count + 1)
            _ = unsafe copy.initialize(from: text.utf8CString)
            return copy.baseAddress
        }
        unsafe pointers.append(nil)
        var count = CInt(arguments.count + 1)
        _ = unsafe pointers.withUnsafeMutableBufferPointer { buffer in
            guard var base = buffer.baseAddress else { return CInt(0) }
            return unsafe runDriver(&count, &base) { bytes, length in
                let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: length))
                do {
                    try unsafe searched?.check(input)
                } catch {
                    // What libFuzzer takes for a find.
                    fatalError("\(error)")
                }
                return 0
            }
        }
    }
#else
    func search(_ target: FuzzTarget, _ arguments: [String]) {
        fatalError("built without libFuzzer: use scripts/fuzz \(target.name)")
    }
#endif
