/// A model that continues sequences; it is trained on `.answers`, by the mean cross-entropy over all answers' tokens
/// of the batch, each predicted from those before it. A token without one before it is not predicted.
public protocol LanguageModel: TrainableModel {
  /// For every sequence the sum of its answer's cross-entropies and their number. The targets are `.answers`.
  func answerLosses(_ batch: TokenBatch, _ pass: Pass) -> [(sum: Double, tokens: Int)]

  /// The likeliest continuation of every prompt, token by token: at most `maximumNewTokens`, ended by a stop token
  /// (which is its last then) or by the model's positions. Equally likely tokens: the lowest id.
  ///
  /// No prompt is empty. What a prompt is continued with does not depend on the others.
  func generate(
    prompts: [[Int32]], maximumNewTokens: Int, stopTokens: Set<Int32>, _ pass: Pass
  ) -> [[Int32]]
}
