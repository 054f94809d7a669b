import SystemPackage

#if canImport(Glibc)
    import Glibc

    // The C library has them; its Swift module does not.
    @_silgen_name("setxattr")
    private func setxattr(
        _ path: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, _ value: UnsafeRawPointer, _ size: Int, _ flags: Int32
    ) -> Int32
    @_silgen_name("getxattr")
    private func getxattr(
        _ path: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, _ value: UnsafeMutableRawPointer, _ size: Int
    ) -> Int

    /// Extended attributes, where the file system has them.
    enum Attributes {
        static func set(_ name: String, _ value: [UInt8], on path: FilePath) -> Bool {
            unsafe setxattr(path.string, name, value, value.count, 0) == 0
        }

        static func get(_ name: String, on path: FilePath) -> [UInt8]? {
            var value = [UInt8](repeating: 0, count: 256)
            let count = unsafe getxattr(path.string, name, &value, 256)
            return count < 0 ? nil : Array(value.prefix(count))
        }
    }
#elseif canImport(Darwin)
    import Darwin

    /// Extended attributes, where the file system has them.
    enum Attributes {
        static func set(_ name: String, _ value: [UInt8], on path: FilePath) -> Bool {
            unsafe setxattr(path.string, name, value, value.count, 0, 0) == 0
        }

        static func get(_ name: String, on path: FilePath) -> [UInt8]? {
            var value = [UInt8](repeating: 0, count: 256)
            let count = unsafe getxattr(path.string, name, &value, 256, 0, 0)
            return count < 0 ? nil : Array(value.prefix(count))
        }
    }
#endif
