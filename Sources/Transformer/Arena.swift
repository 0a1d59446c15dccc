public import LinearAlgebra

/// Memory of one step on two stacks: what the backward pass needs, and what no block of the model leaves behind,
/// which the next block writes again while it is still in the caches.
///
/// After the first step of the largest size nothing is allocated any more.
public final class StepMemory {
  public let kept = Arena()
  public let transient = Arena()

  public init() {}

  /// Bytes held, whether handed out or not.
  public var byteCount: Int { kept.byteCount + transient.byteCount }

  /// Takes back everything.
  public func reset() {
    kept.reset()
    transient.reset()
  }
}

/// A stack of memory: handed out front to back, given back from a mark on.
///
/// Addresses stay valid until the arena is released below them; the numbers are not cleared.
public final class Arena {
  private static let alignment = 64
  private static let smallestChunk = 4 << 20
  private var chunks: [UnsafeMutableRawBufferPointer] = []
  private var current = 0
  private var used = 0

  /// A position to release to.
  public struct Mark {
    fileprivate let chunk: Int
    fileprivate let used: Int
  }

  public init() {}

  deinit { for chunk in chunks { chunk.deallocate() } }

  /// Bytes held, whether handed out or not.
  public var byteCount: Int { chunks.reduce(0) { $0 + $1.count } }

  /// Room for `count` floats, not cleared.
  public func floats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = (max(count, 1) * MemoryLayout<Float>.stride + Self.alignment - 1) & ~(Self.alignment - 1)
    while current < chunks.count, used + bytes > chunks[current].count {
      current += 1
      used = 0
    }
    if current == chunks.count { grow(toHold: bytes) }
    defer { used += bytes }
    return (chunks[current].baseAddress! + used).bindMemory(to: Float.self, capacity: count)
  }

  /// Room for a matrix, not cleared.
  public func matrix(rows: Int, columns: Int) -> MutableMatrixView<Float> {
    MutableMatrixView(floats(rows * columns), rows: rows, columns: columns)
  }

  /// Room for a matrix of zeros.
  public func zeros(rows: Int, columns: Int) -> MutableMatrixView<Float> {
    let matrix = matrix(rows: rows, columns: columns)
    matrix.base.update(repeating: 0, count: rows * columns)
    return matrix
  }

  public var mark: Mark { Mark(chunk: current, used: used) }

  /// Takes back all that was handed out since `mark`.
  public func release(to mark: Mark) {
    current = mark.chunk
    used = mark.used
  }

  /// Takes back everything.
  public func reset() { release(to: Mark(chunk: 0, used: 0)) }

  private func grow(toHold bytes: Int) {
    let size = max(bytes, Self.smallestChunk, byteCount / 2)
    chunks.append(.allocate(byteCount: size, alignment: Self.alignment))
    used = 0
  }
}
