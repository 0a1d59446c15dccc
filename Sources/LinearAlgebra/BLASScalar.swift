internal import COpenBLAS

/// A number type that BLAS and LAPACK compute with: `Float` or `Double`.
public protocol BLASScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  /// `C ← α op(A) op(B) + β C`, row-major. The corresponding BLAS function is `gemm`.
  static func gemm(_ call: GEMMCall<Self>)
}

/// The arguments of one row-major matrix product, named as BLAS names them.
public struct GEMMCall<Scalar: BitwiseCopyable> {
  var transposeA: Bool, transposeB: Bool
  var m: Int, n: Int, k: Int
  var alpha: Scalar
  var a: UnsafePointer<Scalar>, lda: Int
  var b: UnsafePointer<Scalar>, ldb: Int
  var beta: Scalar
  var c: UnsafeMutablePointer<Scalar>, ldc: Int
}

private func flag(_ transpose: Bool) -> CBLAS_TRANSPOSE { transpose ? CblasTrans : CblasNoTrans }

extension Float: BLASScalar {
  public static func gemm(_ call: GEMMCall<Float>) {
    cblas_sgemm(
      CblasRowMajor, flag(call.transposeA), flag(call.transposeB),
      blasint(call.m), blasint(call.n), blasint(call.k), call.alpha, call.a, blasint(call.lda),
      call.b, blasint(call.ldb), call.beta, call.c, blasint(call.ldc))
  }
}

extension Double: BLASScalar {
  public static func gemm(_ call: GEMMCall<Double>) {
    cblas_dgemm(
      CblasRowMajor, flag(call.transposeA), flag(call.transposeB),
      blasint(call.m), blasint(call.n), blasint(call.k), call.alpha, call.a, blasint(call.lda),
      call.b, blasint(call.ldb), call.beta, call.c, blasint(call.ldc))
  }
}
