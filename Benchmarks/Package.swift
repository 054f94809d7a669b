// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "rvf-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        // Named, since a path dependency is otherwise known by its folder's name.
        .package(name: "rvf", path: ".."),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        // Its traits would pull in an allocator to count with; the counts are false on this toolchain.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(name: "CAllocationCount"),
        // What the store is compared with; README.md says how to install them.
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"]), .brew(["lmdb"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]),
        .target(name: "FigureSupport"),
        .executableTarget(
            name: "LockFigures",
            dependencies: [
                "CAllocationCount",
                "FigureSupport",
                .product(name: "RVFLock", package: "rvf"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "StoreFigures",
            dependencies: [
                "CLMDB", "CSQLite", "FigureSupport",
                .product(name: "RVFStore", package: "rvf"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]),
        .executableTarget(
            name: "RVFLockBenchmarks",
            dependencies: [
                .product(name: "RVFLock", package: "rvf"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/RVFLockBenchmarks",
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
