internal import ArgumentParser
internal import Foundation

/// Numbers of clients as a user writes them: `4,16,64`.
func clientCounts(_ text: String) throws -> [Int] {
  let counts = text.split(separator: ",").map { Int($0.trimmingCharacters(in: .whitespaces)) ?? 0 }
  // A client's number is part of the key of its random numbers, which has 24 bits for it.
  guard !counts.isEmpty, counts.allSatisfy({ (1...1 << 24).contains($0) }) else {
    throw ValidationError("expected numbers such as 4,16,64, found \(text)")
  }
  return counts
}
