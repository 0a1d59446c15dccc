/// Which tokens of a row remain when it is cut to a number of tokens: three runs, one after another.
///
/// A single sentence keeps its beginning and its last token ([SEP]). A pair, `[CLS] a [SEP] b [SEP]`, loses tokens
/// from the end of the longer sentence until both are equally long, then from both ("longest first"); the one that
/// was longer keeps the odd token. Both are what Hugging Face's `tokenizers` do.
struct Truncation: Equatable {
  /// The beginning of the row.
  let head: Range<Int>
  /// Of a pair: the first [SEP] and the beginning of the second sentence.
  let middle: Range<Int>
  /// The last token, or nothing when the row is not cut.
  let tail: Range<Int>

  /// - Parameters:
  ///   - length: The row's tokens, special tokens included.
  ///   - secondSentence: Where the second sentence of a pair begins; nil for a single sentence.
  ///   - maximumLength: The most tokens that may remain, special tokens included; at least 3 where the
  ///     row is longer.
  init(length: Int, secondSentence: Int?, maximumLength: Int) {
    precondition(
      length <= maximumLength || maximumLength >= 3,
      "the maximum length \(maximumLength) leaves no room beside special tokens")
    let last = length - 1
    if length <= maximumLength {
      (head, middle, tail) = (0..<length, length..<length, length..<length)
    } else if let second = secondSentence, second >= 2 {
      let kept = longestFirst(second - 2, last - second, room: maximumLength - 3)
      (head, middle, tail) = (0..<1 + kept.first, second - 1..<second + kept.second, last..<length)
    } else {
      (head, middle, tail) = (0..<maximumLength - 1, last..<last, last..<length)
    }
  }

  var runs: [Range<Int>] { [head, middle, tail] }
}

/// How many tokens of two sentences remain when both together may have `room`.
private func longestFirst(_ first: Int, _ second: Int, room: Int) -> (first: Int, second: Int) {
  var shorter = min(first, second)
  var longer = max(shorter, room - shorter)
  if shorter + longer > room {
    shorter = room / 2
    longer = room - shorter
  }
  return first > second ? (longer, shorter) : (shorter, longer)
}
