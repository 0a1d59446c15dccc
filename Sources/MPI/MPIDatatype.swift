internal import CMPI

/// A number that MPI can send: plain bits, of a type that MPI knows.
///
/// `Float`, `Double`, `Int32`, `Int64`, `UInt8`, `UInt16` and `UInt64` conform; another type may, whose bits are
/// one of these.
public protocol MPIDatatype: BitwiseCopyable, Sendable {
  /// Which of MPI's types this is.
  static var mpiType: MPIType { get }
}

/// MPI's elementary datatypes, as far as they are used.
public enum MPIType: Sendable {
  case float, double, int32, int64, uint8, uint16, uint64
}

extension Float: MPIDatatype { public static var mpiType: MPIType { .float } }
extension Double: MPIDatatype { public static var mpiType: MPIType { .double } }
extension Int32: MPIDatatype { public static var mpiType: MPIType { .int32 } }
extension Int64: MPIDatatype { public static var mpiType: MPIType { .int64 } }
extension UInt8: MPIDatatype { public static var mpiType: MPIType { .uint8 } }
extension UInt16: MPIDatatype { public static var mpiType: MPIType { .uint16 } }
extension UInt64: MPIDatatype { public static var mpiType: MPIType { .uint64 } }

/// How the numbers of all ranks become one.
public enum Reduction: Sendable {
  case sum, minimum, maximum

  var handle: MPI_Op {
    switch self {
    case .sum: cmpi_sum()
    case .minimum: cmpi_min()
    case .maximum: cmpi_max()
    }
  }
}

extension MPIDatatype {
  static var handle: MPI_Datatype {
    switch mpiType {
    case .float: cmpi_float()
    case .double: cmpi_double()
    case .int32: cmpi_int32()
    case .int64: cmpi_int64()
    case .uint8: cmpi_uint8()
    case .uint16: cmpi_uint16()
    case .uint64: cmpi_uint64()
    }
  }
}
