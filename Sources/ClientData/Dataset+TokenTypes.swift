extension Dataset {
  /// Checks that every token type is a row of an embedding table of `count` rows: pairs need two.
  public func requireTokenTypes(below count: Int) throws(ClientDataError) {
    for name in description.splits.keys.sorted() {
      let split = try split(name)
      guard let largest = split.tokenTypes?.max(), Int(largest) >= count else { continue }
      throw ClientDataError(split.path, .tokenTypeBeyondModel(expected: count, found: Int(largest)))
    }
  }
}
