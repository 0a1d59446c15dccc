internal import Foundation

/// Where and with what a run ran: environment.json.
public struct EnvironmentReport: Sendable, Equatable, Decodable, JSONRepresentable {
  /// florana's version.
  public var florana: String
  public var mpi: MPI
  /// The hosts in the order of their first rank.
  public var hosts: [Host]
  /// Cores of rank 0's host.
  public var cores: Int
  public var blas: BLAS
  /// MPI parameters that choose and tune transports, from the environment.
  public var transports: [String: String]
  /// The commit of the repository that the run was started in.
  public var gitCommit: String?
  /// ISO 8601, in UTC.
  public var startTime: String
  public var commandLine: [String]
  /// The round after which a stopped run went on here; nil for one that was not stopped.
  public var resumedAfterRound: Int?
  /// The jobs that worked on the run before this one, the first one first; nil without any.
  public var earlier: [EnvironmentReport]?

  public struct MPI: Sendable, Equatable, Decodable {
    /// Name and version as the library states them.
    public var library: String
    public var threadLevel: String

    public init(library: String, threadLevel: String) {
      self.library = library
      self.threadLevel = threadLevel
    }
  }

  public struct Host: Sendable, Equatable, Decodable {
    public var name: String
    public var ranks: Int

    public init(name: String, ranks: Int) {
      self.name = name
      self.ranks = ranks
    }

    /// The hosts of all ranks, from each rank's host name in the order of ranks.
    public static func counting(_ names: [String]) -> [Host] {
      names.reduce(into: []) { hosts, name in
        if let index = hosts.firstIndex(where: { $0.name == name }) {
          hosts[index].ranks += 1
        } else {
          hosts.append(Host(name: name, ranks: 1))
        }
      }
    }
  }

  /// The BLAS: results to the last bit belong to one kind of core and one number of threads.
  public struct BLAS: Sendable, Equatable, Decodable {
    public var core: String
    public var configuration: String
    public var threads: Int
    /// The instructions of the products with frozen weights, which are not the BLAS's; nil in older reports.
    public var frozenProducts: String?

    public init(core: String, configuration: String, threads: Int, frozenProducts: String?) {
      self.core = core
      self.configuration = configuration
      self.threads = threads
      self.frozenProducts = frozenProducts
    }
  }

  public init(
    florana: String, mpi: MPI, hosts: [Host], cores: Int, blas: BLAS, transports: [String: String],
    gitCommit: String?, startTime: String, commandLine: [String], resumedAfterRound: Int? = nil
  ) {
    self.florana = florana
    self.mpi = mpi
    self.hosts = hosts
    self.cores = cores
    self.blas = blas
    self.transports = transports
    self.gitCommit = gitCommit
    self.startTime = startTime
    self.commandLine = commandLine
    self.resumedAfterRound = resumedAfterRound
  }

  public var json: JSONValue {
    .object(omittingNil: [
      ("florana", .string(florana)),
      ("mpi", .object([("library", .string(mpi.library)), ("threadLevel", .string(mpi.threadLevel))])),
      ("hosts", .array(hosts.map { .object([("name", .string($0.name)), ("ranks", .integer($0.ranks))]) })),
      ("cores", .integer(cores)),
      ("blas", blas.json),
      ("transports", .object(transports.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })),
      ("gitCommit", gitCommit.map { .string($0) }),
      ("startTime", .string(startTime)),
      ("commandLine", .array(commandLine.map { .string($0) })),
      ("resumedAfterRound", resumedAfterRound.map { .integer($0) }),
      ("earlier", earlier.map { .array($0.map(\.json)) }),
    ])
  }
}

extension EnvironmentReport.BLAS: JSONRepresentable {
  public var json: JSONValue {
    .object(omittingNil: [
      ("core", .string(core)), ("configuration", .string(configuration)), ("threads", .integer(threads)),
      ("frozenProducts", frozenProducts.map { .string($0) }),
    ])
  }
}

extension EnvironmentReport {
  /// This report after the one of the job before, whose own earlier ones come first.
  func following(_ last: EnvironmentReport) -> EnvironmentReport {
    var (result, last) = (self, last)
    let first = last.earlier ?? []
    last.earlier = nil
    result.earlier = first + [last]
    return result
  }

  /// The parameters `OMPI_MCA_…` of a process's environment that concern messages, without that prefix.
  ///
  /// mpirun sets many more for its own use, keys of the job among them: those stay out of reports.
  public static func transports(in environment: [String: String]) -> [String: String] {
    let prefix = "OMPI_MCA_"
    let families = ["btl", "coll", "mtl", "osc", "pml", "mpi_yield_when_idle"]
    var result: [String: String] = [:]
    for (name, value) in environment where name.hasPrefix(prefix) {
      let parameter = String(name.dropFirst(prefix.count))
      let isListed = families.contains { parameter == $0 || parameter.hasPrefix($0 + "_") }
      if isListed { result[parameter] = value }
    }
    return result
  }

  /// The present time as `startTime` holds it.
  public static func currentTime() -> String {
    Date.now.formatted(.iso8601)
  }
}
