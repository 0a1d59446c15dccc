/// A LAPACK routine that refused its input or did not converge.
public struct LinearAlgebraError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The routine's name in LAPACK, such as `dgesdd`.
  public let routine: String
  /// What LAPACK returned: below zero the position of a bad argument (a NaN counts as one), above
  /// zero the routine's own reason.
  public let info: Int

  @inlinable
  public init(routine: String, info: Int) {
    self.routine = routine
    self.info = info
  }

  public var description: String {
    let reason = info < 0 ? "argument \(-info) is invalid or not a number" : "no result (info \(info))"
    return "\(routine): \(reason)"
  }

  /// The one place where LAPACK's return values become errors; `routine` without its type letter.
  @inlinable
  static func check<Scalar: LAPACKScalar>(
    _ routine: String, _: Scalar.Type, _ info: Int
  ) throws(LinearAlgebraError) {
    guard info != 0 else { return }
    throw LinearAlgebraError(routine: Scalar.routinePrefix + routine, info: info)
  }
}
