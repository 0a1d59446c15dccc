internal import COpenBLAS

/// The BLAS library as it runs in this process.
public enum BLASEnvironment {
  /// Sets the number of threads that one product may use. A rank of a simulation uses one by default:
  /// the ranks themselves fill the cores, and the bits do not depend on the machine's core count.
  public static func setThreadCount(_ count: Int) {
    precondition(count > 0, "\(count) BLAS threads")
    openblas_set_num_threads(Int32(count))
  }

  public static var threadCount: Int { Int(openblas_get_num_threads()) }

  /// The kind of CPU that the kernels were chosen for; results to the last bit belong to one kind.
  public static var coreName: String { String(cString: openblas_get_corename()) }

  /// Version and build options, as the library states them.
  public static var configuration: String { String(cString: openblas_get_config()) }
}
