internal import CKernels
internal import LinearAlgebra

extension CausalLanguageModel {
  func generate(
    prompts: [[Int32]], maximumNewTokens: Int, stopTokens: Set<Int32>, _ pass: Pass
  ) -> [[Int32]] {
    precondition(prompts.allSatisfy { !$0.isEmpty }, "an empty prompt has nothing to be continued")
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    var sequences = prompts.indices.map { index in
      Continuation(
        index: index, prompt: prompts[index],
        limit: min(maximumNewTokens, decoder.shape.positionCount - prompts[index].count))
    }
    var finished = [[Int32]](repeating: [], count: prompts.count)
    let cache = decoder.cache(capacities: sequences.map(\.capacity), pass)
    let table = decoder.rotaryTable(positions: sequences.map(\.capacity).max() ?? 0, pass)
    sequences.removeAll { $0.limit <= 0 }
    while !sequences.isEmpty {
      let next = nextTokens(sequences, cache, table, pass)
      for (place, token) in next.enumerated() {
        sequences[place].append(token, isStop: stopTokens.contains(token))
      }
      for sequence in sequences where sequence.isFinished { finished[sequence.index] = sequence.tokens }
      sequences.removeAll { $0.isFinished }
    }
    return finished
  }

  /// The likeliest next token of every sequence.
  private func nextTokens(
    _ sequences: [Continuation], _ cache: KeyValueCache, _ table: RotaryTable, _ pass: Pass
  ) -> [Int32] {
    let mark = pass.arena.mark
    defer { pass.arena.release(to: mark) }
    let hidden = decoder.forward(sequences, cache, table, pass)
    var next: [Int32] = []
    forEachPart(of: hidden, pass) { rows, logits in
      var best = [Int32](repeating: 0, count: rows.count)
      pass.elementwise { fk_argmax(logits.base, &best, logits.rows, logits.columns) }
      next += best
    }
    return next
  }
}

/// A sequence on its way.
private struct Continuation {
  /// Among the prompts.
  let index: Int
  /// How many tokens may follow the prompt.
  let limit: Int
  /// The longest that it can become without its last token, which nothing follows.
  let capacity: Int
  /// The tokens that the cache does not have yet: the prompt, then the last token.
  private(set) var new: [Int32]
  /// How many tokens the cache has.
  private(set) var cached = 0
  /// The tokens that follow the prompt.
  private(set) var tokens: [Int32] = []
  private(set) var isFinished = false

  init(index: Int, prompt: [Int32], limit: Int) {
    self.index = index
    self.limit = limit
    capacity = limit > 0 ? prompt.count + limit - 1 : 0
    new = prompt
  }

  mutating func append(_ token: Int32, isStop: Bool) {
    tokens.append(token)
    cached += new.count
    new = [token]
    isFinished = isStop || tokens.count == limit
  }
}

extension LLaMADecoder {
  /// Room for the keys and values of sequences of these lengths.
  fileprivate func cache(capacities: [Int], _ pass: Pass) -> KeyValueCache {
    KeyValueCache(
      blocks: shape.layerCount, capacities: capacities, width: shape.keyValueHeadCount * shape.headSize, pass)
  }

  /// The hidden state of the last token of every sequence, one row each; keys and values of the new tokens go to
  /// the cache.
  fileprivate func forward(
    _ sequences: [Continuation], _ cache: KeyValueCache, _ table: RotaryTable, _ pass: Pass
  ) -> MatrixView<Float> {
    let offsets = sequences.reduce(into: [0]) { $0.append($0.last! + $1.new.count) }
    let positions = sequences.flatMap { Int32($0.cached)..<Int32($0.cached + $0.new.count) }
    let keys = sequences.map { cache.rows(of: $0.index, count: $0.cached + $0.new.count) }
    let rows = zip(sequences, keys).flatMap { $1.suffix($0.new.count) }
    let last = ReadTokens(tokens: offsets.dropFirst().map { $0 - 1 }, offsets: Array(offsets.indices))
    return forward(sequences.flatMap(\.new), pass) { block in
      BlockTokens(
        offsets: offsets, positions: positions, keys: keys,
        reading: block == shape.layerCount - 1 ? last : nil,
        table: table, cache: cache.layer(block, rows: rows))
    }.hidden
  }
}
