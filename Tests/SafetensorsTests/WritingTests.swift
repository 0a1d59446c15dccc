import Foundation
import TestSupport
import Testing

@testable import Safetensors

@Suite struct WritingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.path(of: "out.safetensors") }

  @Test func writesTheBytesOfTheFormatsOwnLibrary() throws {
    var writer = SafetensorsWriter(metadata: ["format": "pt"])
    writer.add(name: "b", shape: [1], floats: [1])
    writer.add(name: "a", shape: [], integers: [5 as UInt8])
    writer.add(name: "ä\"\n", shape: [1, 1], floats: [2])
    writer.add(name: "z", shape: [1], integers: [3 as Int64])
    try writer.write(to: path)
    // As safetensors 0.8 for Python writes the same four tensors: widest type first, then by name.
    let header =
      #"{"__metadata__":{"format":"pt"},"z":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"#
      + #""b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"#
      + #""ä\"\n":{"dtype":"F32","shape":[1,1],"data_offsets":[12,16]},"#
      + #""a":{"dtype":"U8","shape":[],"data_offsets":[16,17]}}"#
    let found = try Array(Data(contentsOf: URL(filePath: path)))
    let length = (header.utf8.count + 7) / 8 * 8
    #expect(found[..<8].elementsEqual([UInt8(length & 0xFF), UInt8(length >> 8), 0, 0, 0, 0, 0, 0]))
    #expect(String(decoding: found[8..<8 + length], as: UTF8.self).trimmingSuffix(" ") == header)
    #expect(found[(8 + length)...] == [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64, 5])
  }

  @Test func readsBackWhatItWrote() throws {
    var writer = SafetensorsWriter(metadata: ["b": "tab\t", "a": "\u{1}"])
    let values: [Float] = [1, -0.0, .leastNonzeroMagnitude, .infinity, 5, 6]
    values.withUnsafeBufferPointer { writer.add(name: "x", shape: [2, 3], floats: $0) }
    writer.add(name: "n", shape: [2], integers: [Int.min, .max])
    writer.add(name: "empty", shape: [0], integers: [Int32]())
    try writer.write(to: path)
    let file = try SafetensorsFile(path: path)
    #expect(file.metadata == ["b": "tab\t", "a": "\u{1}"])
    #expect(file["x"]?.shape == [2, 3])
    #expect(try file.floatArray(named: "x").map(\.bitPattern) == values.map(\.bitPattern))
    #expect(try file.integers(named: "n", as: Int.self) == [.min, .max])
    #expect(try file.integers(named: "empty", as: Int32.self) == [])
  }

  @Test func tensorsOfAnotherFileAndAnnouncedOnesAreWrittenInTheirPlaces() throws {
    var first = SafetensorsWriter()
    ([1, 2, 3, 4] as [UInt8]).withUnsafeBytes { bytes in
      first.add(name: "half", shape: [2], dataType: .float16, bytes: bytes)
    }
    first.add(name: "old", shape: [1], floats: [5])
    try first.write(to: folder.path(of: "first"))
    let source = try SafetensorsFile(path: folder.path(of: "first"))
    var writer = SafetensorsWriter()
    for name in ["c", "a"] { writer.announce(name: name, shape: [1, 2]) }
    for name in ["half", "old"] { writer.add(try source.tensor(named: name), of: source) }
    writer.add(name: "b", shape: [2], floats: [Float](arrayLiteral: 9, 3, 4, 9)[1...2])
    var asked: [String] = []
    try writer.write(to: path) { name in
      asked.append(name)
      return [Float(asked.count), 0.5]
    }
    let file = try SafetensorsFile(path: path)
    #expect(asked == ["a", "c"] && file.names == ["a", "b", "c", "half", "old"])
    #expect(try ["a", "b", "c", "old"].map(file.floatArray) == [[1, 0.5], [3, 4], [2, 0.5], [5]])
    #expect(try file.bytes(of: file.tensor(named: "half")).elementsEqual([1, 2, 3, 4]))
  }

  @Test func whereAnAnnouncedTensorFailsTheOlderFileStays() throws {
    struct Refusal: Error {}
    try folder.write("old", to: "out.safetensors")
    var writer = SafetensorsWriter()
    writer.announce(name: "a", shape: [2])
    #expect(throws: Refusal.self) { try writer.write(to: path) { _ in throw Refusal() } }
    #expect(try text(ofFileAt: path) == "old" && folder.names() == ["out.safetensors"])
  }

  @Test func orderOfAddingDoesNotMatter() throws {
    func bytes(_ names: [String]) throws -> Data {
      var writer = SafetensorsWriter(metadata: ["k": "v", "j": "w"])
      for name in names { writer.add(name: name, shape: [1], floats: [Float(name.count)]) }
      try writer.write(to: path)
      return try Data(contentsOf: URL(filePath: path))
    }
    #expect(try bytes(["a", "bb", "ccc"]) == bytes(["ccc", "a", "bb"]))
  }

  @Test func openFileKeepsItsBytesWhenReplaced() throws {
    func write(_ value: Float) throws {
      var writer = SafetensorsWriter()
      writer.add(name: "x", shape: [1], floats: [value])
      try writer.write(to: path)
    }
    try write(1)
    let file = try SafetensorsFile(path: path)
    try write(2)
    #expect(try file.floatArray(named: "x") == [1])
    #expect(try SafetensorsFile(path: path).floatArray(named: "x") == [2])
  }

  @Test func missingFolderIsAnError() {
    let path = folder.path(of: "none/out.safetensors")
    let problem = SafetensorsError.Problem.cannotWrite(
      step: "create a temporary file beside it", reason: "No such file or directory")
    #expect(throws: SafetensorsError(path, problem)) { try SafetensorsWriter().write(to: path) }
  }
}

extension String {
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var result = self
    while result.last == character { result.removeLast() }
    return result
  }
}
