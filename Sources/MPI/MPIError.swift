internal import CMPI

/// A call of MPI that failed, on this rank.
///
/// Its description reads `MPI_Gather: MPI_ERR_ROOT: invalid root`.
public struct MPIError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The C function, such as `MPI_Gather`.
  public let function: String
  /// The library's own code.
  public let code: Int32
  /// The standard's class of the code (`MPI_Error_class`).
  public let errorClass: Int32
  /// What went wrong, beginning with the name of the class where it is known.
  public let text: String

  public var description: String { "\(function): \(text)" }
}

extension MPIError {
  /// The error of a call that returned `code`.
  init(function: String, code: Int32) {
    var errorClass = code
    MPI_Error_class(code, &errorClass)
    let text = oneLine(mpiText(capacity: cmpi_max_error_string()) { MPI_Error_string(code, $0, $1) })
    self.init(function: function, code: code, errorClass: errorClass, text: named(text, errorClass))
  }

  /// A refusal of arguments before they reach the C function, under the class MPI has for it.
  static func refused(_ function: String, _ errorClass: Int32, _ reason: String) -> MPIError {
    MPIError(function: function, code: errorClass, errorClass: errorClass, text: named(reason, errorClass))
  }
}

/// Passes a success; throws what MPI says about anything else. Every call of MPI goes through here.
func check(_ function: String, _ code: Int32) throws(MPIError) {
  guard code == cmpi_success() else { throw MPIError(function: function, code: code) }
}

/// A rank, root, tag, colour or key as C takes it; what does not fit becomes a number that MPI refuses.
func cNumber(_ number: Int) -> Int32 { Int32(clamping: number) }

/// The text that `fill` writes into a buffer of `capacity` characters; empty when it fails.
func mpiText(
  capacity: Int32, _ fill: (UnsafeMutablePointer<CChar>, UnsafeMutablePointer<Int32>) -> Int32
) -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(capacity) + 1) { buffer in
    buffer.initialize(repeating: 0)
    var length: Int32 = 0
    guard fill(buffer.baseAddress!, &length) == cmpi_success() else { return "" }
    return String(cString: buffer.baseAddress!)
  }
}

/// The words of a text of several lines, as MPICH writes, in one.
func oneLine(_ text: String) -> String {
  text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
}

/// Open MPI's texts begin with the name of the class, MPICH's do not.
private func named(_ text: String, _ errorClass: Int32) -> String {
  guard !text.hasPrefix("MPI_ERR_"), let name = className(errorClass) else { return text }
  return "\(name): \(text)"
}

private func className(_ errorClass: Int32) -> String? {
  switch errorClass {
  case cmpi_err_buffer(): "MPI_ERR_BUFFER"
  case cmpi_err_count(): "MPI_ERR_COUNT"
  case cmpi_err_type(): "MPI_ERR_TYPE"
  case cmpi_err_tag(): "MPI_ERR_TAG"
  case cmpi_err_comm(): "MPI_ERR_COMM"
  case cmpi_err_rank(): "MPI_ERR_RANK"
  case cmpi_err_root(): "MPI_ERR_ROOT"
  case cmpi_err_op(): "MPI_ERR_OP"
  case cmpi_err_arg(): "MPI_ERR_ARG"
  case cmpi_err_truncate(): "MPI_ERR_TRUNCATE"
  case cmpi_err_other(): "MPI_ERR_OTHER"
  case cmpi_err_intern(): "MPI_ERR_INTERN"
  case cmpi_err_no_mem(): "MPI_ERR_NO_MEM"
  default: nil
  }
}
