internal import COpenBLAS

/// A number type that LAPACK factors matrices of: `Float` or `Double`.
///
/// Every function returns LAPACK's `info`; matrices are row-major and are overwritten as LAPACK says.
public protocol LAPACKScalar: BLASScalar {
  /// The letter before the names of the routines: `s` or `d`.
  static var routinePrefix: String { get }
  /// `y ← op(a) x`. The corresponding BLAS function is `gemv`.
  static func gemv(
    _ a: MatrixView<Self>, transposed: Bool, _ x: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>)
  /// The upper triangle of `target ← op(a) op(a)ᵀ + beta target`. The corresponding BLAS function is `syrk`.
  static func syrk(_ a: MatrixView<Self>, transposed: Bool, into target: MutableMatrixView<Self>, beta: Self)
  /// Householder QR in place.
  static func geqrf(_ a: MutableMatrixView<Self>, _ tau: UnsafeMutablePointer<Self>) -> Int
  /// The orthonormal columns of the QR that `geqrf` left in `q`.
  static func orgqr(_ q: MutableMatrixView<Self>, _ tau: UnsafePointer<Self>) -> Int
  /// Singular values by divide and conquer; thin vectors when `u` and `vt` are given.
  static func gesdd(
    _ a: MutableMatrixView<Self>, _ values: UnsafeMutablePointer<Self>,
    _ u: MutableMatrixView<Self>?, _ vt: MutableMatrixView<Self>?
  ) -> Int
  /// Singular values by QR iteration; thin vectors when `u` and `vt` are given.
  static func gesvd(
    _ a: MutableMatrixView<Self>, _ values: UnsafeMutablePointer<Self>,
    _ u: MutableMatrixView<Self>?, _ vt: MutableMatrixView<Self>?
  ) -> Int
  /// Eigenvalues, ascending, and eigenvectors, as columns of `a`, of a symmetric matrix.
  static func syevd(_ a: MutableMatrixView<Self>, _ values: UnsafeMutablePointer<Self>) -> Int
  /// Cholesky factor in the lower triangle.
  static func potrf(_ a: MutableMatrixView<Self>) -> Int
  /// The reciprocal condition number in the 1-norm, from `potrf`'s factor and the matrix's 1-norm.
  static func pocon(
    _ factor: MutableMatrixView<Self>, norm: Self, _ reciprocal: UnsafeMutablePointer<Self>
  ) -> Int
  /// Solves by `potrf`'s factor, in place of the right-hand sides.
  static func potrs(_ factor: MutableMatrixView<Self>, _ target: MutableMatrixView<Self>) -> Int
}

/// The `jobz` of a singular value decomposition: thin vectors or none.
private func job(_ vectors: Bool) -> CChar { CChar(UInt8(ascii: vectors ? "S" : "N")) }

private let lower = CChar(UInt8(ascii: "L"))
private let vectors = CChar(UInt8(ascii: "V"))

extension MutableMatrixView {
  /// The stride as LAPACK wants it, which is at least 1.
  fileprivate var leading: Int32 { Int32(max(stride, 1)) }
}

extension Float: LAPACKScalar {
  public static var routinePrefix: String { "s" }

  public static func gemv(
    _ a: MatrixView<Self>, transposed: Bool, _ x: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>
  ) {
    cblas_sgemv(
      CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, blasint(a.rows), blasint(a.columns), 1,
      a.base, blasint(max(a.stride, 1)), x, 1, 0, y, 1)
  }

  public static func syrk(
    _ a: MatrixView<Self>, transposed: Bool, into target: MutableMatrixView<Self>, beta: Self
  ) {
    let inner = transposed ? a.rows : a.columns
    cblas_ssyrk(
      CblasRowMajor, CblasUpper, transposed ? CblasTrans : CblasNoTrans, blasint(target.rows),
      blasint(inner), 1, a.base, blasint(max(a.stride, 1)), beta, target.base, blasint(target.stride))
  }

  public static func geqrf(_ a: MutableMatrixView<Self>, _ tau: UnsafeMutablePointer<Self>) -> Int {
    Int(
      LAPACKE_sgeqrf(
        LAPACK_ROW_MAJOR, Int32(a.rows), Int32(a.columns), a.base, a.leading, tau))
  }

  public static func orgqr(_ q: MutableMatrixView<Self>, _ tau: UnsafePointer<Self>) -> Int {
    let columns = Int32(q.columns)
    return Int(
      LAPACKE_sorgqr(LAPACK_ROW_MAJOR, Int32(q.rows), columns, columns, q.base, q.leading, tau))
  }

  public static func gesdd(
    _ a: MutableMatrixView<Self>, _ values: UnsafeMutablePointer<Self>,
    _ u: MutableMatrixView<Self>?, _ vt: MutableMatrixView<Self>?
  ) -> Int {
    Int(
      LAPACKE_sgesdd(
        LAPACK_ROW_MAJOR, job(u != nil), Int32(a.rows), Int32(a.columns), a.base, a.leading,
        values, u?.base, u?.leading ?? Int32(a.rows), vt?.base, vt?.leading ?? Int32(a.columns)))
  }

  public static func gesvd(
    _ a: MutableMatrixView<Self>, _ values: UnsafeMutablePointer<Self>,
    _ u: MutableMatrixView<Self>?, _ vt: MutableMatrixView<Self>?
  ) -> Int {
    withUnsafeTemporaryAllocation(of: Self.self, capacity: max(1, min(a.rows, a.columns))) { superdiagonal in
      Int(
        LAPACKE_sgesvd(
          LAPACK_ROW_MAJOR, job(u != nil), job(vt != nil), Int32(a.rows), Int32(a.columns),
          a.base, a.leading, values, u?.base, u?.leading ?? Int32(a.rows),
          vt?.base, vt?.leading ?? Int32(a.columns), superdiagonal.baseAddress!))
    }
  }

  public static func syevd(_ a: MutableMatrixView<Self>, _ values: UnsafeMutablePointer<Self>) -> Int {
    Int(LAPACKE_ssyevd(LAPACK_ROW_MAJOR, vectors, lower, Int32(a.rows), a.base, a.leading, values))
  }

  public static func potrf(_ a: MutableMatrixView<Self>) -> Int {
    Int(LAPACKE_spotrf(LAPACK_ROW_MAJOR, lower, Int32(a.rows), a.base, a.leading))
  }

  public static func pocon(
    _ factor: MutableMatrixView<Self>, norm: Self, _ reciprocal: UnsafeMutablePointer<Self>
  ) -> Int {
    Int(
      LAPACKE_spocon(
        LAPACK_ROW_MAJOR, lower, Int32(factor.rows), factor.base, factor.leading, norm, reciprocal))
  }

  public static func potrs(_ factor: MutableMatrixView<Self>, _ target: MutableMatrixView<Self>) -> Int {
    Int(
      LAPACKE_spotrs(
        LAPACK_ROW_MAJOR, lower, Int32(factor.rows), Int32(target.columns), factor.base,
        factor.leading, target.base, target.leading))
  }
}

extension Double: LAPACKScalar {
  public static var routinePrefix: String { "d" }

  public static func gemv(
    _ a: MatrixView<Self>, transposed: Bool, _ x: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>
  ) {
    cblas_dgemv(
      CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, blasint(a.rows), blasint(a.columns), 1,
      a.base, blasint(max(a.stride, 1)), x, 1, 0, y, 1)
  }

  public static func syrk(
    _ a: MatrixView<Self>, transposed: Bool, into target: MutableMatrixView<Self>, beta: Self
  ) {
    let inner = transposed ? a.rows : a.columns
    cblas_dsyrk(
      CblasRowMajor, CblasUpper, transposed ? CblasTrans : CblasNoTrans, blasint(target.rows),
      blasint(inner), 1, a.base, blasint(max(a.stride, 1)), beta, target.base, blasint(target.stride))
  }

  public static func geqrf(_ a: MutableMatrixView<Self>, _ tau: UnsafeMutablePointer<Self>) -> Int {
    Int(
      LAPACKE_dgeqrf(
        LAPACK_ROW_MAJOR, Int32(a.rows), Int32(a.columns), a.base, a.leading, tau))
  }

  public static func orgqr(_ q: MutableMatrixView<Self>, _ tau: UnsafePointer<Self>) -> Int {
    let columns = Int32(q.columns)
    return Int(
      LAPACKE_dorgqr(LAPACK_ROW_MAJOR, Int32(q.rows), columns, columns, q.base, q.leading, tau))
  }

  public static func gesdd(
    _ a: MutableMatrixView<Self>, _ values: UnsafeMutablePointer<Self>,
    _ u: MutableMatrixView<Self>?, _ vt: MutableMatrixView<Self>?
  ) -> Int {
    Int(
      LAPACKE_dgesdd(
        LAPACK_ROW_MAJOR, job(u != nil), Int32(a.rows), Int32(a.columns), a.base, a.leading,
        values, u?.base, u?.leading ?? Int32(a.rows), vt?.base, vt?.leading ?? Int32(a.columns)))
  }

  public static func gesvd(
    _ a: MutableMatrixView<Self>, _ values: UnsafeMutablePointer<Self>,
    _ u: MutableMatrixView<Self>?, _ vt: MutableMatrixView<Self>?
  ) -> Int {
    withUnsafeTemporaryAllocation(of: Self.self, capacity: max(1, min(a.rows, a.columns))) { superdiagonal in
      Int(
        LAPACKE_dgesvd(
          LAPACK_ROW_MAJOR, job(u != nil), job(vt != nil), Int32(a.rows), Int32(a.columns),
          a.base, a.leading, values, u?.base, u?.leading ?? Int32(a.rows),
          vt?.base, vt?.leading ?? Int32(a.columns), superdiagonal.baseAddress!))
    }
  }

  public static func syevd(_ a: MutableMatrixView<Self>, _ values: UnsafeMutablePointer<Self>) -> Int {
    Int(LAPACKE_dsyevd(LAPACK_ROW_MAJOR, vectors, lower, Int32(a.rows), a.base, a.leading, values))
  }

  public static func potrf(_ a: MutableMatrixView<Self>) -> Int {
    Int(LAPACKE_dpotrf(LAPACK_ROW_MAJOR, lower, Int32(a.rows), a.base, a.leading))
  }

  public static func pocon(
    _ factor: MutableMatrixView<Self>, norm: Self, _ reciprocal: UnsafeMutablePointer<Self>
  ) -> Int {
    Int(
      LAPACKE_dpocon(
        LAPACK_ROW_MAJOR, lower, Int32(factor.rows), factor.base, factor.leading, norm, reciprocal))
  }

  public static func potrs(_ factor: MutableMatrixView<Self>, _ target: MutableMatrixView<Self>) -> Int {
    Int(
      LAPACKE_dpotrs(
        LAPACK_ROW_MAJOR, lower, Int32(factor.rows), Int32(target.columns), factor.base,
        factor.leading, target.base, target.leading))
  }
}
