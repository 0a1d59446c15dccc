extension DatasetSplit {
  /// Rows begin at 0, are not empty, not too long, and use up the tokens.
  func checkOffsets(maximumLength: Int) throws(ClientDataError) {
    guard offsets[0] == 0 else { throw wrong(.offsetsStart(found: Int(offsets[0]))) }
    for row in 0..<rowCount {
      let (begin, end) = (Int(offsets[row]), Int(offsets[row + 1]))
      guard begin <= end else { throw wrong(.offsetsDescend(row: row, begin: begin, end: end)) }
      guard begin < end else { throw wrong(.emptyRow(row: row)) }
      guard end - begin <= maximumLength else {
        throw wrong(.rowTooLong(row: row, maximum: maximumLength, found: end - begin))
      }
    }
    let end = Int(offsets[rowCount])
    guard end == tokens.count else { throw wrong(.offsetsEnd(expected: tokens.count, found: end)) }
  }

  /// Labels and groups name something.
  func checkColumns() throws(ClientDataError) {
    if let row = labels.firstIndex(where: { !(0..<labelCount).contains(Int($0)) }) {
      throw wrong(.labelOutOfRange(row: row, count: labelCount, found: Int(labels[row])))
    }
    if let groups, let row = groups.firstIndex(where: { !(0..<groupCount).contains(Int($0)) }) {
      throw wrong(.groupOutOfRange(row: row, count: groupCount, found: Int(groups[row])))
    }
  }

  /// Every row has a prompt and something after it.
  func checkPromptLengths() throws(ClientDataError) {
    guard let promptLengths else { return }
    for row in 0..<rowCount where !(1..<length(ofRow: row)).contains(Int(promptLengths[row])) {
      throw wrong(
        .promptLengthOutOfRange(row: row, length: length(ofRow: row), found: Int(promptLengths[row])))
    }
  }

  /// Token ids are not negative, token types are 0 or 1.
  func checkTokens() throws(ClientDataError) {
    if let index = tokens.firstIndex(where: { $0 < 0 }) {
      throw wrong(.negativeToken(row: row(ofToken: index), found: Int(tokens[index])))
    }
    if let tokenTypes, let index = tokenTypes.firstIndex(where: { $0 > 1 }) {
      throw wrong(.tokenTypeOutOfRange(row: row(ofToken: index), found: Int(tokenTypes[index])))
    }
  }

  private func wrong(_ problem: ClientDataError.Problem) -> ClientDataError {
    ClientDataError(path, problem)
  }
}
