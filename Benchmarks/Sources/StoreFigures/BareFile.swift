import Foundation
import SystemPackage

/// A file as the system gives it.
final class BareFile {
    private let descriptor: Int32
    private(set) var byteCount = 0

    init(_ path: FilePath, readOnly: Bool = false) throws {
        descriptor = readOnly ? open(path.string, O_RDONLY) : open(path.string, O_RDWR | O_CREAT | O_TRUNC, 0o644)
        if descriptor < 0 { throw FigureError("open \(path): \(errno)") }
    }

    deinit { close(descriptor) }

    private func check(_ isDone: Bool) throws {
        if !isDone { throw FigureError("a bare system call failed: \(errno)") }
    }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        try write(bytes, at: byteCount)
        byteCount += bytes.count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        try check(pwrite(descriptor, bytes.baseAddress, bytes.count, off_t(offset)) == bytes.count)
    }

    /// Bytes read, 0 at the end.
    func read(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws -> Int {
        let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
        try check(count >= 0)
        return count
    }

    func syncData() throws { try check(fdatasync(descriptor) == 0) }
    func sync() throws { try check(fsync(descriptor) == 0) }
}

/// As much as is written at once where much is written.
let chunkByteCount = 1 << 20

/// A file's bytes in another one, durable.
func copyFile(_ source: FilePath, to target: FilePath) throws {
    let (from, to) = (try BareFile(source, readOnly: true), try BareFile(target))
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkByteCount, alignment: 4096)
    defer { buffer.deallocate() }
    while true {
        let count = try from.read(buffer, at: to.byteCount)
        if count == 0 { return try to.sync() }
        try to.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
}

/// So many bytes one after another, durable at the end.
func writeSequentially(_ byteCount: Int, to path: FilePath) throws {
    let file = try BareFile(path)
    let chunk = [UInt8](repeating: 7, count: chunkByteCount)
    while file.byteCount < byteCount {
        let count = min(chunkByteCount, byteCount - file.byteCount)
        try chunk.withUnsafeBytes { try file.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
    try file.syncData()
}

func fileByteCount(_ path: FilePath) throws -> Int {
    var status = stat()
    guard stat(path.string, &status) == 0 else { throw FigureError("stat \(path): \(errno)") }
    return Int(status.st_size)
}
