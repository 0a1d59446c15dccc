// swift-tools-version: 6.2
import PackageDescription

// pkg-config's names of the MPI and the BLAS to build against. Debian and upstream Open MPI ship
// `ompi-c`; MPICH ships `mpich`. Another installation: PKG_CONFIG_PATH=$MPI_HOME/lib/pkgconfig.
let mpiPackage = Context.environment["MPI_PKGCONFIG"] ?? "ompi-c"
let blasPackage = Context.environment["BLAS_PKGCONFIG"] ?? "openblas"

let swiftSettings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

/// A Swift library of the house with the house's settings.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// The tests beside a module; `extra` are modules that the tests need besides it.
func tests(_ module: String, _ extra: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
  .testTarget(
    name: "\(module)Tests",
    dependencies: [.byName(name: module)] + extra,
    resources: resources,
    swiftSettings: swiftSettings)
}

let package = Package(
  name: "florana",
  products: [.executable(name: "florana", targets: ["florana"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "CMPI", pkgConfig: mpiPackage, providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: blasPackage,
      providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
    .target(
      name: "CKernels",
      cSettings: [
        .treatAllWarnings(as: .error),
        // Tests train in debug builds: without this a product takes thirty times as long there.
        .unsafeFlags(["-O2"], .when(configuration: .debug)),
      ]),

    library("MPI", ["CMPI"]),
    library("Randomness"),
    library("LinearAlgebra", ["COpenBLAS"]),
    library("Files"),
    library("Names"),
    library("HalfPrecision"),
    library("Vocabulary"),
    library("Safetensors", ["Files", "HalfPrecision", "Names"]),
    library("Adapters", ["Files", "LinearAlgebra", "Randomness", "Safetensors"]),
    library(
      "Transformer",
      ["Adapters", "CKernels", "Files", "HalfPrecision", "LinearAlgebra", "Randomness", "Safetensors"]),
    library("Grading", ["Files"]),
    library("ClientData", ["Files", "Grading", "Randomness", "Safetensors"]),
    library("Aggregation", ["LinearAlgebra"]),
    library("Configuration", ["Names", yams]),
    library("Telemetry", ["Files"]),
    library("Prediction", ["Names", "Telemetry"]),
    library(
      "Simulation",
      [
        "Adapters", "Aggregation", "ClientData", "Configuration", "Files", "Grading", "HalfPrecision",
        "LinearAlgebra", "MPI", "Randomness", "Safetensors", "Telemetry", "Transformer", "Vocabulary",
      ]),
    .executableTarget(
      name: "florana",
      dependencies: [
        "Adapters", "ClientData", "Configuration", "Files", "LinearAlgebra", "MPI", "Prediction",
        "Simulation",
        "Telemetry", "Transformer", argumentParser,
      ],
      swiftSettings: swiftSettings),

    tests("Randomness"),
    tests("LinearAlgebra"),
    .target(
      name: "TestSupport", dependencies: ["Randomness", "Safetensors", "Telemetry"],
      path: "Tests/TestSupport",
      swiftSettings: swiftSettings),
    tests("Files", ["TestSupport"]),
    tests("Names"),
    tests("HalfPrecision"),
    tests("Vocabulary", ["TestSupport"]),
    tests("Safetensors", ["TestSupport"]),
    tests("Adapters", ["Files", "TestSupport"]),
    tests(
      "Transformer",
      ["Adapters", "CKernels", "HalfPrecision", "LinearAlgebra", "Randomness", "Safetensors", "TestSupport"],
      resources: [.copy("Golden")]),
    tests("Grading", ["TestSupport"]),
    tests("ClientData", ["Grading", "Safetensors", "TestSupport"]),
    tests("Aggregation", ["LinearAlgebra", "Randomness"]),
    tests("Configuration", ["TestSupport"]),
    tests("Telemetry", ["TestSupport"]),
    tests("Prediction", ["Telemetry"]),
    tests(
      "Simulation",
      [
        "Adapters", "Aggregation", "ClientData", "Configuration", "Grading", "LinearAlgebra", "MPI",
        "Randomness", "Telemetry", "TestSupport", "Transformer",
      ]),
    .target(
      name: "LaunchSupport", dependencies: ["MPI"], path: "Tests/LaunchSupport", swiftSettings: swiftSettings),
    .testTarget(
      name: "CollectiveTests", dependencies: ["LaunchSupport", "MPI"], swiftSettings: swiftSettings),
    .testTarget(
      name: "LaunchTests",
      dependencies: [
        "Adapters", "Aggregation", "Configuration", "florana", "HalfPrecision", "LaunchSupport",
        "Safetensors", "Simulation", "Telemetry", "TestSupport",
      ],
      swiftSettings: swiftSettings),
  ],
  swiftLanguageModes: [.v6]
)
