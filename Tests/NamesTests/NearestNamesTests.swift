import Names
import Testing

@Suite struct NearestNamesTests {
  @Test(
    arguments: [
      ("quary", "query"), ("QUERY", "query"), ("valeu", "value"), ("outputdense", "output.dense"),
      ("zzz", nil), ("", nil), ("v", nil),
    ] as [(String, String?)])
  func theNearestIsFoundOrNone(name: String, expected: String?) {
    let found = nearestNames(to: name, among: ["query", "value", "output.dense"], limit: 1)
    #expect(found == expected.map { [$0] } ?? [])
  }

  @Test func theNearestComeFirstAndEquallyNearOnesInTheirOrder() {
    let valid = ["layers", "lay", "layer.1", "layer.0", "player"]
    #expect(nearestNames(to: "layer", among: valid, limit: 4) == ["layers", "player", "lay", "layer.1"])
    #expect(nearestNames(to: "layer", among: valid, limit: 0) == [])
  }
}
