// swift-tools-version: 6.2
import PackageDescription

/// One list for every Swift target: what the compiler can check, it checks, and a warning fails the build.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "rvf",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "RVFLock", targets: ["RVFLock"]),
        .library(name: "RVFStore", targets: ["RVFStore"]),
        .executable(name: "rvf", targets: ["rvf"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(name: "CRVFShims"),
        // Loops that need instructions which a compiler does not choose by itself.
        .target(name: "CRVFKernels"),
        .target(name: "RVFHost", dependencies: ["CRVFShims", system], swiftSettings: strict),
        .target(name: "RVFLock", dependencies: ["RVFHost", "CZlib", system], swiftSettings: strict),
        .target(
            name: "RVFStore", dependencies: ["RVFHost", "RVFLock", "CZlib", "CRVFKernels", system, crypto],
            swiftSettings: strict),
        // All of the command but its beginning, so that other targets can use parts of it.
        .target(
            name: "RVFCommand", dependencies: ["RVFConformance", "RVFHost", "RVFLock", "RVFStore", system, arguments],
            path: "Sources/rvf", swiftSettings: strict),
        .executableTarget(
            name: "rvf", dependencies: ["RVFCommand"], path: "Sources/rvf-main", swiftSettings: strict),
        // What other implementations are tried by; in no product.
        .target(name: "RVFConformance", dependencies: ["RVFHost", "RVFLock", "RVFStore", system], swiftSettings: strict),

        // What process-level tests spawn and kill; in no product.
        .executableTarget(
            name: "rvf-probe", dependencies: ["RVFHost", "RVFLock", "RVFStore", system], swiftSettings: strict),
        // The simulated system on which the code that ships is tried in every order of its steps; in no product.
        .target(name: "RVFSimulation", dependencies: ["RVFHost", "RVFLock", "RVFStore", system], swiftSettings: strict),
        .executableTarget(name: "rvf-prove", dependencies: ["RVFSimulation"], swiftSettings: strict),
        .testTarget(
            name: "RVFSimulationTests",
            dependencies: ["RVFSimulation", "RVFHost", "RVFLock", "RVFStore", "RVFTestSupport", system],
            swiftSettings: strict),
        // What the reference runtime makes of a store, from its description alone: an oracle for tests and searches.
        .target(name: "RVFReference", dependencies: ["CZlib"], path: "Tests/RVFReference", swiftSettings: strict),
        // What takes bytes from outside, for searches for those that it cannot take; `scripts/fuzz` runs them. In no product.
        .target(
            name: "RVFFuzz",
            dependencies: ["RVFConformance", "RVFHost", "RVFLock", "RVFReference", "RVFStore", "RVFCommand", system],
            swiftSettings: strict),
        .executableTarget(name: "rvf-fuzz", dependencies: ["RVFFuzz", system], swiftSettings: strict),
        .testTarget(
            name: "RVFFuzzTests", dependencies: ["RVFFuzz", system], exclude: ["Inputs"], swiftSettings: strict),
        .target(
            name: "RVFTestSupport", dependencies: ["RVFHost", "RVFLock", system, subprocess],
            path: "Tests/RVFTestSupport", swiftSettings: strict),
        .testTarget(
            name: "RVFHostTests", dependencies: ["RVFHost", "RVFTestSupport", system], swiftSettings: strict),
        .testTarget(
            name: "RVFStoreTests",
            dependencies: [
                "RVFHost", "RVFLock", "RVFReference", "RVFStore", "RVFTestSupport", "CZlib", "rvf-probe", system,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RVFLockTests",
            dependencies: ["RVFHost", "RVFLock", "RVFTestSupport", "CZlib", "rvf-probe", system, subprocess],
            swiftSettings: strict),
        .testTarget(
            name: "RVFCommandTests",
            dependencies: [
                "RVFConformance", "RVFHost", "RVFLock", "RVFStore", "RVFTestSupport", "rvf", "rvf-probe", system, subprocess,
            ],
            swiftSettings: strict),
        // The parts of the store that touch no file: metadata, filters, distances.
        .testTarget(
            name: "RVFStorePureTests", dependencies: ["RVFStore", "RVFTestSupport", "CZlib", system],
            swiftSettings: strict),
    ]
)
