public import Grading

extension Dataset {
  /// What the answers to the prompts of a split are graded by, a reference for each row, in the rows' order.
  public func references(of name: String) throws(ClientDataError) -> References {
    guard case .generation(let grader, _) = description.task else {
      throw ClientDataError(descriptionPath, .noReferences)
    }
    let rowCount = try split(name).rowCount
    let path = "\(folder)/\(name).jsonl"
    let references: References
    do { references = try References(path: path, grader: grader) } catch {
      throw ClientDataError(path, .references(error))
    }
    guard references.count == rowCount else {
      throw ClientDataError(path, .referenceCount(rows: rowCount, found: references.count))
    }
    return references
  }
}
