import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct FolderWritingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.path(of: "a/b") }

  @Test func aFolderIsThereOnlyWhenItIsWhole() throws {
    try makeWholeFolder(at: path) { inside in
      #expect(!FileManager.default.fileExists(atPath: path))
      try replaceFile(at: inside + "/file", with: "x")
    }
    #expect(try text(ofFileAt: path + "/file") == "x")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path(of: "a")) == ["b"])
  }

  @Test func aFailureLeavesNothing() throws {
    struct Failure: Error {}
    #expect(throws: Failure.self) {
      try makeWholeFolder(at: path) { inside in
        try replaceFile(at: inside + "/file", with: "x")
        throw Failure()
      }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path(of: "a")).isEmpty)
  }

  @Test func whatIsThereStays() throws {
    try makeWholeFolder(at: path) { try replaceFile(at: $0 + "/file", with: "old") }
    let error = #expect(throws: FileError.self) {
      try makeWholeFolder(at: path) { try replaceFile(at: $0 + "/file", with: "new") }
    }
    #expect(error?.step == .rename && error?.path == path)
    #expect(try text(ofFileAt: path + "/file") == "old")
  }

  @Test func filesAreMeasuredAndCut() throws {
    let file = try folder.write("one\ntwo\n", to: "lines")
    #expect(try syncedLength(ofFileAt: file) == 8 && syncedLength(ofFileAt: file + "-none") == 0)
    try cutFile(at: file, to: 4)
    #expect(try text(ofFileAt: file) == "one\n")
    let error = #expect(throws: FileError.self) { try cutFile(at: file + "-none", to: 0) }
    #expect(error?.step == .cut)
  }
}
