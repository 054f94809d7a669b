import RVFFuzz

#if FUZZING
    import Synchronization

    /// Of libFuzzer: calls back with input after input, and ends the process.
    @_silgen_name("LLVMFuzzerRunDriver")
    private func runDriver(
        _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
        _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
    ) -> CInt

    /// For the callback, which can carry nothing along. Set once, before the first call.
    nonisolated(unsafe) private var searched: FuzzTarget?

    /// - Parameter command: by which libFuzzer starts this program again, and then the arguments.
    func search(_ target: FuzzTarget, _ command: [String]) {
        unsafe searched = target
        LiveMemory.watch()
        // They live as long as the process.
        var pointers = unsafe command.map { text in
            let copy = UnsafeMutableBufferPointer<CChar>.allocate(capacity: text.utf8.count + 1)
            _ = unsafe copy.initialize(from: text.utf8CString)
            return copy.baseAddress
        }
        unsafe pointers.append(nil)
        var count = CInt(command.count)
        _ = unsafe pointers.withUnsafeMutableBufferPointer { buffer in
            guard var base = buffer.baseAddress else { return CInt(0) }
            return unsafe runDriver(&count, &base) { bytes, length in
                let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: length))
                LiveMemory.begin()
                do {
                    try unsafe searched?.check(input)
                } catch {
                    // What libFuzzer takes for a find.
                    fatalError("\(error)")
                }
                // Windows and buffers of fixed size, and what an input under a megabyte may take of the limit.
                let limit = 8 << 20 + 56 * length
                if LiveMemory.peak > limit { fatalError("\(LiveMemory.peak) bytes of memory for \(length) of input") }
                return 0
            }
        }
    }

    /// What is allocated and not freed yet; the most of it, and what it was, since an input was begun. Not in the type
    /// below, since callbacks of C can carry no type along.
    private let liveBytes = Atomic<Int>(0)
    private let mostBytes = Atomic<Int>(0)
    private let startBytes = Atomic<Int>(0)

    private enum LiveMemory {
        static var peak: Int { mostBytes.load(ordering: .relaxed) - startBytes.load(ordering: .relaxed) }

        static func begin() {
            let now = liveBytes.load(ordering: .relaxed)
            startBytes.store(now, ordering: .relaxed)
            mostBytes.store(now, ordering: .relaxed)
        }

        static func watch() {
            // Before the callbacks, in which they must not be made.
            begin()
            _ = unsafe installHooks(
                { _, size in
                    let now = liveBytes.add(size, ordering: .relaxed).newValue
                    _ = mostBytes.max(now, ordering: .relaxed)
                },
                { pointer in
                    guard let pointer = unsafe pointer else { return }
                    _ = unsafe liveBytes.subtract(allocatedSize(pointer), ordering: .relaxed)
                })
        }
    }

    /// Of the address sanitizer.
    @_silgen_name("__sanitizer_install_malloc_and_free_hooks")
    private func installHooks(
        _ malloc: @convention(c) (UnsafeRawPointer?, Int) -> Void, _ free: @convention(c) (UnsafeRawPointer?) -> Void
    ) -> CInt

    /// Of the address sanitizer.
    @_silgen_name("__sanitizer_get_allocated_size")
    private func allocatedSize(_ pointer: UnsafeRawPointer) -> Int
#else
    func search(_ target: FuzzTarget, _ command: [String]) {
        fatalError("built without libFuzzer: use scripts/fuzz \(target.name)")
    }
#endif
