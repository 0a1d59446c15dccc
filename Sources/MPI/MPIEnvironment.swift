internal import CMPI

/// How much a program with threads may ask of MPI.
public enum ThreadLevel: Int32, Comparable, Sendable {
  /// One thread.
  case single
  /// Several threads, of which the one that started MPI calls it.
  case funneled
  /// Several threads, which call MPI one at a time.
  case serialized
  /// Several threads, which call MPI when they like.
  case multiple

  public static func < (a: ThreadLevel, b: ThreadLevel) -> Bool { a.rawValue < b.rawValue }
}

/// The MPI library as it runs in this process.
public enum MPIEnvironment {
  /// The library's name and version in one line, such as `Open MPI v4.1.4, package: …`. Needs no start.
  public static var libraryVersion: String {
    let text = mpiText(capacity: cmpi_max_library_version_string()) { MPI_Get_library_version($0, $1) }
    // MPICH adds how it was configured and compiled, which fills a screen.
    return oneLine(text.split(separator: "\n").prefix { !$0.contains(" configure:") }.joined(separator: "\n"))
  }

  /// The version of the standard, such as 3.1. Needs no start.
  public static var standardVersion: (major: Int, minor: Int) {
    var major: Int32 = 0
    var minor: Int32 = 0
    MPI_Get_version(&major, &minor)
    return (Int(major), Int(minor))
  }

  /// The name of this rank's host. Needs a started MPI.
  public static var processorName: String {
    mpiText(capacity: cmpi_max_processor_name()) { MPI_Get_processor_name($0, $1) }
  }

  /// Seconds since some moment, for differences on one rank. Needs a started MPI.
  public static var elapsedSeconds: Double { MPI_Wtime() }

  /// The thread level that the library provides. Needs a started MPI.
  public static var threadLevel: ThreadLevel {
    get throws(MPIError) {
      var provided: Int32 = 0
      try check("MPI_Query_thread", MPI_Query_thread(&provided))
      return ThreadLevel(rawValue: cmpi_thread_level_index(provided))!
    }
  }

  static var isStarted: Bool {
    var flag: Int32 = 0
    MPI_Initialized(&flag)
    return flag != 0
  }
}
