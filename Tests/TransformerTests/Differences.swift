import Adapters
import Randomness
import Testing

/// Expects a gradient's part in `slot` to be the loss's slope along a random direction there, which `part` chooses.
///
/// The slope is that of a central difference. The step is large for Float32's sake; the five-point formula keeps the
/// error of the formula below that of the arithmetic.
func expectSlope(
  of slot: TensorSlot, in gradient: AdapterParameters, at parameters: AdapterParameters, part: Int,
  loss: (AdapterParameters) throws -> Double
) throws {
  var stream = RandomStream(RandomKey(seed: 5, purpose: .test, part: part))
  let direction = slot.range.map { _ in Float(stream.normal()) / Float(slot.count).squareRoot() }
  let step: Float = 0.04
  func moved(_ multiple: Float) throws -> Double {
    var moved = parameters
    for (index, d) in zip(slot.range, direction) { moved.values[index] += multiple * step * d }
    return try loss(moved)
  }
  let expected = try (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / Double(12 * step)
  let found = zip(gradient[slot], direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  let length = gradient[slot].reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
  // Relative to the whole gradient's length: a direction may happen to be nearly flat.
  #expect(abs(found - expected) < 2e-3 * length + 2e-6, "\(slot.name): \(found) for \(expected)")
}
