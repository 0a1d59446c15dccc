internal import ClientData
internal import Grading
internal import Transformer
internal import Vocabulary

/// Has a language model answer prompts of a data set, and grades what it says.
struct AnswerJudge: Sendable {
  /// An answer is broken off after so many tokens.
  let maximumNewTokens: Int
  /// Each ends an answer.
  let stopTokens: Set<Int32>
  private let vocabulary: ByteLevelVocabulary
  /// By the name of the split.
  private let references: [String: References]

  /// Opens the tokeniser's texts and the references of the splits of these names.
  init(
    _ dataset: Dataset, splits: Set<String>, stopTokens: [Int32], modelPath: String, maximumNewTokens: Int
  ) throws {
    self.maximumNewTokens = maximumNewTokens
    self.stopTokens = Set(stopTokens)
    vocabulary = try ByteLevelVocabulary(path: modelPath + "/tokenizer.json")
    references = try Dictionary(
      uniqueKeysWithValues: splits.map { ($0, try dataset.references(of: $0)) })
  }

  /// What a model goes on with from the prompts of some rows.
  func answers(toRows rows: [Int], of split: DatasetSplit, by model: any LanguageModel, _ pass: Pass)
    -> [[Int32]]
  {
    model.generate(
      prompts: rows.map { split.prompt(ofRow: $0) }, maximumNewTokens: maximumNewTokens,
      stopTokens: stopTokens,
      pass)
  }

  /// The text of generated tokens.
  func text(of tokens: [Int32]) -> String { vocabulary.text(of: tokens.filter { !stopTokens.contains($0) }) }

  /// - Throws: when a program is to be run and cannot be run safely.
  func grade(_ answer: String, ofRow row: Int, in split: DatasetSplit) throws -> Grade {
    guard let references = references[split.name] else {
      preconditionFailure("no references of split \(split.name)")
    }
    return try Grading.grade(answer: answer, reference: references[row])
  }
}
