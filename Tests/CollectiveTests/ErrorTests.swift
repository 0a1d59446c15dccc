@testable import MPI
import Testing

extension CollectiveTests {
  @MainActor @Suite struct Errors {
    @Test(arguments: [-1, 99, Int.max]) func aRootThatIsNoRankIsNamed(root: Int) throws {
      var array: [Float] = [1]
      let layout = try world.layout(count: 1)
      try expect("MPI_Gather: MPI_ERR_ROOT: ") { _ = try world.gather(array, to: root) }
      try expect("MPI_Gatherv: MPI_ERR_ROOT: ") { _ = try world.gather(array, layout: layout, to: root) }
      try expect("MPI_Bcast: MPI_ERR_ROOT: ") { try world.broadcast(&array, from: root) }
      try expect("MPI_Reduce: MPI_ERR_ROOT: ") { _ = try world.reduce(array, .sum, to: root) }
    }

    @Test func theErrorKeepsFunctionClassAndText() throws {
      let error = errorThrown { _ = try world.gather([Float(1)], to: 99) } as? MPIError
      #expect(error?.function == "MPI_Gather")
      #expect(error?.text.lowercased().hasPrefix("mpi_err_root: invalid root") == true)
      #expect(error?.errorClass != 0)
    }

    @Test func aDestinationOrTagThatDoesNotExistIsNamed() throws {
      try expect("MPI_Send: MPI_ERR_RANK: ") { try world.send([1] as [Float], to: world.size) }
      try expect("MPI_Send: MPI_ERR_TAG: ") { try world.send([1] as [Float], to: 0, tag: -7) }
      try expect("MPI_Probe: MPI_ERR_RANK: ") {
        _ = try world.receiveArray(of: Float.self, from: world.size)
      }
    }

    @Test(
      .enabled("needs a second rank, in a debug build") { @MainActor in checksAgreement && world.size > 1 })
    func ranksThatDifferInCountOrRootAllThrow() throws {
      var array = [Float](repeating: 0, count: world.rank == 0 ? 3 : 5)
      let counts = "MPI_ERR_COUNT: the ranks differ in their counts: 3...5 elements"
      try expect("MPI_Bcast: \(counts)") { try world.broadcast(&array, from: 0) }
      try expect("MPI_Gather: \(counts)") { _ = try world.gather(array, to: 0) }
      try expect("MPI_Allgather: \(counts)") { _ = try world.allgather(array) }
      try expect("MPI_Reduce: \(counts)") { _ = try world.reduce(array, .sum, to: 0) }
      try expect("MPI_Allreduce: \(counts)") { try world.allreduce(&array, .sum) }
      let root = world.rank == 0 ? 0 : 1
      try expect("MPI_Gather: MPI_ERR_ROOT: the ranks differ in the root: 0...1") {
        _ = try world.gather([Float(1)], to: root)
      }
    }

    private func expect(_ prefix: String, _ body: () throws -> Void) throws {
      let description = errorThrown(by: body).map { "\($0)" } ?? "no error"
      #expect(description.hasPrefix(prefix))
    }
  }

  @MainActor @Suite struct Together {
    private struct Missing: Error, CustomStringConvertible { let description: String }

    @Test func aResultPassesThrough() throws {
      #expect(try world.together { world.rank + 1 } == world.rank + 1)
    }

    @Test func whatAllRanksFindIsToldWithoutARank() throws {
      let error = errorThrown { try world.together { throw Missing(description: "no model") } }
      #expect(error as? CollectiveError == CollectiveError(text: "no model", origin: nil, exitStatus: 1))
    }

    @Test(.enabled("needs a second rank") { @MainActor in world.size > 1 })
    func whatOneRankFindsAllRanksThrow() throws {
      let last = world.size - 1
      let error = errorThrown {
        try world.together { if world.rank == last { throw Missing(description: "no data") } }
      }
      let told = try #require(error as? CollectiveError)
      #expect(told.description.hasPrefix("rank \(last) on host "))
      #expect(told.description.hasSuffix(": no data"))
      #expect(told.isCollective && told.exitStatus == 1)
    }
  }
}
