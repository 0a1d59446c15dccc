internal import Foundation

/// Cosines and sines of the angles by which queries and keys are turned: positions × half a head's size.
///
/// Frequencies and angles are rounded to Float32, as transformers rounds them: the models were trained so. The
/// functions are computed in double precision.
struct RotaryTable: @unchecked Sendable {
  let cosines: UnsafePointer<Float>
  let sines: UnsafePointer<Float>

  /// A table of the positions below `count`, in the pass's memory.
  init(positions count: Int, headSize: Int, base: Double, _ pass: Pass) {
    let half = headSize / 2
    let (cosines, sines) = (pass.arena.floats(count * half), pass.arena.floats(count * half))
    let frequencies = (0..<half).map { Float(1 / pow(base, Double(2 * $0) / Double(headSize))) }
    for position in 0..<count {
      for (index, frequency) in frequencies.enumerated() {
        let angle = Double(Float(position) * frequency)
        cosines[position * half + index] = Float(cos(angle))
        sines[position * half + index] = Float(sin(angle))
      }
    }
    (self.cosines, self.sines) = (UnsafePointer(cosines), UnsafePointer(sines))
  }
}
