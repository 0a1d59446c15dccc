import Testing

@testable import Transformer

/// Parity of the real all-mpnet-base-v2 with transformers.
@Suite(
  .enabled(
    if: Golden.hasWeights(Golden.mpnet),
    "models/all-mpnet-base-v2 is not there: scripts/fetch_model.py fetches it"))
struct MPNetTests {
  @Test func hiddenStatesOfFourSentencesInOneBatch() throws {
    try expectHiddenStates(of: Golden.mpnet, in: "mpnet")
  }

  @Test func itsShape() throws {
    let model = try PretrainedModel(path: Golden.mpnet)
    #expect(model.positionCount == 512 && model.tokenTypeCount == 0 && model.hiddenSize == 768)
    #expect(model.usualTargets == ["q", "v"])
  }
}
