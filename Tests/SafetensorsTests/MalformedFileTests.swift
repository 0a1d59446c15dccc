import TestSupport
import Testing

@testable import Safetensors

/// One test per way in which a file can be wrong.
@Suite struct MalformedFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func expect(
    _ problem: SafetensorsError.Problem, tensor: String? = nil, of path: String,
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: SafetensorsError(path, tensor: tensor, problem), sourceLocation: location) {
      try SafetensorsFile(path: path)
    }
  }

  /// Expects a problem of the tensor `x` with the given entry and 8 data bytes.
  private func expect(
    _ problem: SafetensorsError.Problem, entry: String, at location: SourceLocation = #_sourceLocation
  ) throws {
    let path = try folder.file(header: "{\"x\":\(entry)}", data: Array(repeating: 0, count: 8))
    expect(problem, tensor: "x", of: path, at: location)
  }

  /// The error of a file whose reason is worded by the JSON decoder.
  private func error(header: String) throws -> SafetensorsError? {
    let path = try folder.file(header: header)
    return #expect(throws: SafetensorsError.self) { try SafetensorsFile(path: path) }
  }

  @Test func missingFile() {
    expect(.cannotRead(reason: "No such file or directory"), of: "\(folder.path)/none")
  }

  @Test func folderInsteadOfFile() { expect(.cannotRead(reason: "not a regular file"), of: folder.path) }

  @Test(arguments: [0, 7]) func shorterThanALength(byteCount: Int) throws {
    expect(.fileTooShort(found: byteCount), of: try folder.file(Array(repeating: 0, count: byteCount)))
  }

  @Test func headerBeyondTheFile() throws {
    expect(.headerBeyondFile(expected: 9, found: 2), of: try folder.file([9, 0, 0, 0, 0, 0, 0, 0, 123, 125]))
  }

  @Test func headerLengthAboveTheLimit() throws {
    let path = try folder.file([255, 255, 255, 255, 255, 255, 255, 255, 123, 125])
    expect(.headerTooLong(limit: 100_000_000, found: .max), of: path)
  }

  @Test func headerNotUTF8() throws {
    expect(.headerNotUTF8, of: try folder.file([2, 0, 0, 0, 0, 0, 0, 0, 0xC3, 0x28]))
  }

  @Test(arguments: ["", "{", "{\"x\":}", "{} {}"]) func headerNotJSON(header: String) throws {
    guard case .headerNotJSON = try error(header: header)?.problem else {
      Issue.record("another error or none")
      return
    }
  }

  @Test(arguments: ["[]", "3", "\"text\""]) func headerNotAnObject(header: String) throws {
    #expect(try error(header: header)?.problem == .headerNotObject)
  }

  @Test(arguments: ["{\"__metadata__\":{\"a\":1}}", "{\"__metadata__\":[]}"])
  func malformedMetadata(header: String) throws {
    guard case .malformedMetadata = try error(header: header)?.problem else {
      Issue.record("another error or none")
      return
    }
  }

  @Test(arguments: [
    "3", "{\"shape\":[],\"data_offsets\":[0,4]}", "{\"dtype\":\"F32\",\"data_offsets\":[0,4]}",
    "{\"dtype\":\"F32\",\"shape\":[]}", "{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0]}",
    "{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}",
    "{\"dtype\":\"F32\",\"shape\":[true],\"data_offsets\":[0,4]}",
    "{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,99999999999999999999]}",
  ])
  func malformedEntry(entry: String) throws {
    let error = try error(header: "{\"x\":\(entry)}")
    #expect(error?.tensor == "x")
    guard case .malformedEntry = error?.problem else {
      Issue.record("another error or none")
      return
    }
  }

  @Test(arguments: ["x", "\\u0078"]) func nameTwice(second: String) throws {
    let entry = "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
    let error = try error(header: "{\"x\":\(entry),\"\(second)\":\(entry)}")
    #expect(error?.problem == .duplicateName)
  }

  @Test func unknownDataType() throws {
    try expect(.unknownDataType(found: "F8"), entry: #"{"dtype":"F8","shape":[8],"data_offsets":[0,8]}"#)
  }

  @Test(arguments: [[-1], [-2, -1], [1 << 62, 2], [1 << 32, 1 << 31]])
  func negativeOrOverflowingShape(shape: [Int]) throws {
    let entry = "{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[0,8]}"
    try expect(.invalidShape(found: shape), entry: entry)
  }

  @Test func negativeOffset() throws {
    try expect(
      .negativeOffset(begin: -8, end: 0), entry: #"{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}"#)
  }

  @Test func beginAfterEnd() throws {
    try expect(
      .reversedOffsets(begin: 8, end: 0), entry: #"{"dtype":"F32","shape":[2],"data_offsets":[8,0]}"#)
  }

  @Test func sizeAgainstShape() throws {
    try expect(
      .sizeMismatch(expected: 12, found: 8), entry: #"{"dtype":"F32","shape":[3],"data_offsets":[0,8]}"#)
  }

  private func file(_ a: [Int], _ b: [Int], dataByteCount: Int) throws -> (path: String, headerEnd: Int) {
    func entry(_ offsets: [Int]) -> String {
      "{\"dtype\":\"U8\",\"shape\":[\(offsets[1] - offsets[0])],\"data_offsets\":\(offsets)}"
    }
    let header = "{\"a\":\(entry(a)),\"b\":\(entry(b))}"
    return (
      try folder.file(header: header, data: Array(repeating: 0, count: dataByteCount)), 8 + header.utf8.count
    )
  }

  @Test func overlappingTensors() throws {
    let path = try file([0, 4], [3, 8], dataByteCount: 8).path
    expect(.overlap(with: "a", expected: 4, found: 3), tensor: "b", of: path)
  }

  @Test func holeBetweenTensors() throws {
    let path = try file([0, 4], [5, 8], dataByteCount: 8).path
    expect(.hole(expected: 4, found: 5), tensor: "b", of: path)
  }

  @Test func holeAtTheStart() throws {
    let path = try file([1, 4], [4, 8], dataByteCount: 8).path
    expect(.hole(expected: 0, found: 1), tensor: "a", of: path)
  }

  @Test func fileCutShort() throws {
    let (path, headerEnd) = try file([0, 4], [4, 8], dataByteCount: 7)
    expect(.fileCutShort(expected: headerEnd + 8, found: headerEnd + 7), of: path)
  }

  /// The largest tensor that an offset can claim: with the header it is more than an integer holds.
  @Test func tensorBeyondTheIntegers() throws {
    let entry = #"{"dtype":"F32","shape":[2305843009213693951],"data_offsets":[0,9223372036854775804]}"#
    let header = "{\"x\":\(entry)}"
    let path = try folder.file(header: header, data: Array(repeating: 0, count: 8))
    expect(.fileCutShort(expected: .max, found: 8 + header.utf8.count + 8), of: path)
  }

  @Test func bytesAfterTheLastTensor() throws {
    let (path, headerEnd) = try file([0, 4], [4, 8], dataByteCount: 9)
    expect(.trailingBytes(expected: headerEnd + 8, found: headerEnd + 9), of: path)
  }
}
