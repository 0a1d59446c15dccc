import TestSupport
import Testing

@testable import Safetensors

@Suite struct ReadingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

  /// Pads `header` so that the data begin at a multiple of 8 bytes.
  private func padded(_ header: String) -> String {
    header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
  }

  @Test func tellsNamesShapesAndMetadata() throws {
    let header =
      #"{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"#
      + #""a":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}"#
    let file = try SafetensorsFile(path: folder.file(header: padded(header), data: bytes([1, 2] as [Int64])))
    #expect(file.names == ["a", "b"])
    #expect(file.metadata == ["format": "pt"])
    #expect(
      file["b"] == TensorDescription(name: "b", dataType: .float32, shape: [2, 1], byteRange: 0..<8))
    #expect(file["a"]?.elementCount == 1)
    #expect(file["c"] == nil)
  }

  @Test func viewsFloatsAndIntegersInPlace() throws {
    let header =
      #"{"x":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"n":{"dtype":"I32","shape":[2],"data_offsets":[8,16]}}"#
    let data = bytes([1.5, -2] as [Float]) + bytes([7, -9] as [Int32])
    let file = try SafetensorsFile(path: folder.file(header: padded(header), data: data))
    defer { withExtendedLifetime(file) {} }
    #expect(Array(try file.floats(named: "x", shape: [1, 2])) == [1.5, -2])
    #expect(Array(try file.integerView(named: "n", as: Int32.self)) == [7, -9])
    #expect(try file.integers(named: "n", as: Int32.self) == [7, -9])
    #expect(try file.bytes(of: file.tensor(named: "n")).elementsEqual(data[8...]))
  }

  @Test func viewOfAnEmptyTensorIsEmpty() throws {
    let header = #"{"x":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]}}"#
    let file = try SafetensorsFile(path: folder.file(header: padded(header)))
    #expect(try file.floats(named: "x", shape: [0, 3]).isEmpty)
  }

  @Test func readsAFileWithoutTensors() throws {
    let file = try SafetensorsFile(path: folder.file(header: "{}      "))
    #expect(file.names.isEmpty)
  }

  @Test func convertsHalfPrecision() throws {
    // 1, −2, 2⁻²⁴ (the smallest subnormal), 2⁻¹⁴ (the smallest normal), 65504 (the largest), infinities.
    let halves: [UInt16] = [0x3C00, 0xC000, 0x0001, 0x0400, 0x7BFF, 0x7C00, 0xFC00, 0x8000, 0x7E00]
    let header = #"{"h":{"dtype":"F16","shape":[9],"data_offsets":[0,18]}}"#
    let file = try SafetensorsFile(path: folder.file(header: padded(header), data: bytes(halves)))
    let found = try file.floatArray(named: "h")
    #expect(found.prefix(8) == [1, -2, 0x1p-24, 0x1p-14, 65504, .infinity, -.infinity, 0])
    #expect(found[7].sign == .minus && found[8].isNaN)
  }

  @Test func convertsBrainFloatsAndDoubles() throws {
    let header =
      #"{"d":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]}}"#
    let data = bytes([0.1]) + bytes([0x3F80, 0xC020] as [UInt16])
    let file = try SafetensorsFile(path: folder.file(header: padded(header), data: data))
    #expect(try file.floatArray(named: "d") == [0.1 as Float])
    #expect(try file.floatArray(named: "b") == [1, -2.5])
  }

  @Test func misalignedTensorIsCopiedButNotViewed() throws {
    var header = #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    while (8 + header.utf8.count) % 4 != 1 { header += " " }
    let file = try SafetensorsFile(path: folder.file(header: header, data: bytes([3] as [Float])))
    #expect(try file.floatArray(named: "x") == [3])
    let found = 8 + header.utf8.count
    #expect(
      throws: SafetensorsError(file.path, tensor: "x", .misaligned(alignment: 4, found: found))
    ) { try file.floats(named: "x", shape: [1]) }
  }
}

@Suite struct RequestErrorTests {
  private let folder: TemporaryFolder
  private let file: SafetensorsFile

  init() throws {
    folder = try TemporaryFolder()
    file = try SafetensorsFile(
      path: folder.file(
        header: #"{"layer.0.query.weight":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"#
          + #""layer.1.query.weight":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"#
          + #""other":{"dtype":"I32","shape":[1],"data_offsets":[8,12]}}"#,
        data: Array(repeating: 0, count: 12)))
  }

  private func error(_ tensor: String, _ problem: SafetensorsError.Problem) -> SafetensorsError {
    SafetensorsError(file.path, tensor: tensor, problem)
  }

  @Test func missingTensorListsNearNames() {
    #expect(
      throws: error(
        "layer.0.qery.weight", .noSuchTensor(near: ["layer.0.query.weight", "layer.1.query.weight"]))
    ) { try file.tensor(named: "layer.0.qery.weight") }
  }

  @Test func floatsOfHalfPrecisionIsRefused() {
    #expect(throws: error("layer.0.query.weight", .wrongDataType(expected: "F32", found: "F16"))) {
      try file.floats(named: "layer.0.query.weight", shape: [2])
    }
  }

  @Test func floatsOfAnotherShapeIsRefused() {
    #expect(throws: error("layer.1.query.weight", .wrongShape(expected: [1, 1], found: [1]))) {
      try file.floats(named: "layer.1.query.weight", shape: [1, 1])
    }
  }

  @Test func floatArrayOfIntegersIsRefused() {
    #expect(throws: error("other", .wrongDataType(expected: "F32, F16, BF16 or F64", found: "I32"))) {
      try file.floatArray(named: "other")
    }
  }

  @Test func integersOfAnotherWidthIsRefused() {
    #expect(throws: error("other", .wrongDataType(expected: "I64", found: "I32"))) {
      try file.integers(named: "other", as: Int.self)
    }
    #expect(throws: error("other", .wrongDataType(expected: "U32", found: "I32"))) {
      try file.integerView(named: "other", as: UInt32.self)
    }
  }

  @Test func messageNamesFileTensorExpectedAndFound() {
    let text = error("other", .wrongDataType(expected: "I64", found: "I32")).description
    #expect(text == "\(file.path): tensor \"other\": expected type I64, found I32")
  }
}
