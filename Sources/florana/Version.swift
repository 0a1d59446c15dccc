internal import LinearAlgebra
internal import MPI

/// What this program is and what it runs on.
enum Version {
  static let number = "0.1.0"

  /// Version, MPI library and BLAS, a line each.
  static var text: String {
    """
    florana \(number)
    MPI: \(MPIEnvironment.libraryVersion)
    BLAS: \(BLASEnvironment.configuration)
    """
  }
}
