import Foundation
import LaunchSupport
import Telemetry
import TestSupport
import Testing

extension LaunchTests {
  @Suite(.serialized) struct CompareTests {
    private let world: TinyWorld

    init() throws { world = try TinyWorld() }

    @Test func methodsAreComparedOnTheSameSplitAndStart() throws {
      let job = try world.florana(
        [
          "compare", "tiny.yaml", "--methods", "fedit,florana-matrix", "--seeds", "1,2", "--output", "both",
          "--quiet", "--set", "training.rounds=1",
        ], ranks: 2)
      #expect(job.status == 0, "\(job.standardError)")
      let csv = try world.text("both/compare.csv").split(separator: "\n")
      #expect(csv.count == 5 && csv[1].hasPrefix("fedit,1,") && csv[4].hasPrefix("florana-matrix,2,"))
      #expect(job.standardOutput.contains("rank correlation of ρ with global accuracy"))
      for seed in 1...2 {
        let (plain, matrix) = (
          try world.rounds("both/fedit-seed\(seed)"), try world.rounds("both/florana-matrix-seed\(seed)")
        )
        // The first round's factors do not depend on the method, and so neither do these.
        #expect(plain[0].rhoFedIT == matrix[0].rhoFedIT && plain[0].oracle == matrix[0].oracle)
        #expect(plain[0].trainLoss == matrix[0].trainLoss && plain[0].rho != matrix[0].rho)
      }
      let alone = try world.simulate("alone", ["training.rounds=1", "seed=2", "method.name=fedit"], ranks: 1)
      #expect(alone.status == 0)
      #expect(try world.adapterHash("alone") == world.adapterHash("both/fedit-seed2"))
    }

    @Test func anUnknownMethodIsRefusedBeforeTheFirstRun() throws {
      let job = try world.florana(
        ["compare", "tiny.yaml", "--methods", "fedit,florena", "--output", "x"], ranks: 2)
      #expect(job.status == 2 && job.reports("florana: ").count == 1)
      #expect(job.standardError.contains("florena") && job.standardError.contains("did you mean florana"))
      #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/x"))
    }
  }
}
