import SystemPackage

/// The system that this process runs on. Files and names are in `POSIXHost+Files`, what differs between systems in
/// `POSIXHost+Linux` and `POSIXHost+Darwin`.
public struct POSIXHost: Host {
    public init() {}
}
