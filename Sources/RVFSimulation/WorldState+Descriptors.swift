extension WorldState {
    /// A process has come to its end: its descriptors are closed.
    mutating func end(_ process: Int, as life: Process.Life) {
        for descriptor in processes[process].descriptors.keys.sorted() { close(descriptor, of: process) }
        for socket in processes[process].sockets.keys.sorted() { closeSocket(socket, of: process) }
        processes[process].life = life
        processes[process].wakesNanoseconds = nil
        processes[process].awaitedSocket = nil
        // What it knew is of no more consequence.
        processes[process].history = 0
        referee.noteEnded(process)
    }

    mutating func install(_ file: OpenFile, of process: Int) -> Int32 {
        var number: Int32 = 3
        while processes[process].descriptors[number] != nil { number += 1 }
        processes[process].descriptors[number] = file
        return number
    }

    mutating func close(_ descriptor: Int32, of process: Int) {
        guard let open = processes[process].descriptors.removeValue(forKey: descriptor), !open.isStale else { return }
        if open.isWritable { writeBack(open.inode, of: processes[process].machine) }
        closeIfLast(open)
    }

    mutating func closeSocket(_ descriptor: Int32, of process: Int) {
        guard let end = processes[process].sockets.removeValue(forKey: descriptor) else { return }
        for file in sockets.close(end) { closeIfLast(file) }
    }

    /// A server has forgotten the file: what is open leads nowhere any more.
    mutating func noteStale(_ file: OpenFile) {
        files.noteClosed(file.inode, description: file.description)
    }

    /// A description lives as long as a descriptor leads to it, or one is on its way.
    private mutating func closeIfLast(_ file: OpenFile) {
        guard !isOpen(file.description) else { return }
        files.noteClosed(file.inode, description: file.description)
    }

    private func isOpen(_ description: Int) -> Bool {
        processes.contains { $0.descriptors.values.contains { $0.description == description } }
            || sockets.files.contains { $0.description == description }
    }

    func description(_ descriptor: Int32, of process: Int) -> Int {
        guard let open = processes[process].descriptors[descriptor] else {
            preconditionFailure("a descriptor that is not open: EBADF is a bug")
        }
        return open.description
    }

    /// The process that made a description is its upper half: the kernel names it as the one that locked, also when
    /// another one has it by now.
    func freeDescription(of process: Int) -> Int {
        var description = process << 32
        while isOpen(description) { description += 1 }
        return description
    }
}
