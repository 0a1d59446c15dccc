import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct FileWritingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var path: String { folder.path(of: "file") }

  @Test func piecesFollowEachOther() throws {
    let long = [UInt8](repeating: 7, count: 3_000_000)
    try replaceFile(at: path, with: [[1, 2], [], long, [3]])
    #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2] + long + [3]))
  }

  @Test func textIsWrittenAsUTF8() throws {
    try replaceFile(at: path, with: "größe\n")
    #expect(try text(ofFileAt: path) == "größe\n")
    try replaceFile(at: path, with: "")
    #expect(try text(ofFileAt: path) == "")
  }

  @Test func anOlderFileIsReplacedAndNothingIsLeftBeside() throws {
    try folder.write("a longer text", to: "file")
    try replaceFile(at: path, with: "short")
    #expect(try text(ofFileAt: path) == "short")
    #expect(try folder.names() == ["file"])
  }

  @Test func whoHasTheOlderFileOpenKeepsItsBytes() throws {
    try folder.write("old", to: "file")
    let open = try #require(FileHandle(forReadingAtPath: path))
    try replaceFile(at: path, with: "new")
    #expect(try open.readToEnd() == Data("old".utf8))
  }

  @Test func aMissingFolderIsNamed() {
    let path = folder.path(of: "none/file")
    let error = #expect(throws: FileError.self) { try replaceFile(at: path, with: "x") }
    #expect(error == FileError(path: path, step: .createSibling, reason: "No such file or directory"))
    #expect(
      error?.description
        == "\(path): expected to write it, found: create a temporary file beside it: No such file or directory"
    )
  }

  @Test func aFailedRenameLeavesNothingBeside() throws {
    try makeFolder(at: path)
    let error = #expect(throws: FileError.self) { try replaceFile(at: path, with: "x") }
    #expect(error?.step == .rename && error?.path == path)
    #expect(try folder.names() == ["file"])
  }

  @Test(
    .enabled("needs a device that is always full") { FileManager.default.fileExists(atPath: "/dev/full") })
  func aFullDiskIsNamed() {
    let error = #expect(throws: FileError.self) { try extendFile(at: "/dev/full", with: "x") }
    #expect(error == FileError(path: "/dev/full", step: .write, reason: "No space left on device"))
  }

  @Test func extendingMakesTheFileAndKeepsWhatItHolds() throws {
    try extendFile(at: path, with: "one\n")
    try extendFile(at: path, with: "two\n")
    #expect(try text(ofFileAt: path) == "one\ntwo\n")
  }

  @Test func extendingInAMissingFolderIsNamed() {
    let path = folder.path(of: "none/file")
    let error = #expect(throws: FileError.self) { try extendFile(at: path, with: "x") }
    #expect(error == FileError(path: path, step: .open, reason: "No such file or directory"))
  }

  @Test func foldersAreMadeWithThoseAroundThem() throws {
    let inner = folder.path(of: "a/b")
    try makeFolder(at: inner)
    try makeFolder(at: inner)
    try replaceFile(at: inner + "/file", with: "x")
    #expect(try folder.names() == ["a"])
  }

  @Test func aFolderBelowAFileIsRefused() throws {
    let inner = try folder.write("x", to: "file") + "/inner"
    let error = #expect(throws: FileError.self) { try makeFolder(at: inner) }
    #expect(error?.path == inner && error?.step == .makeFolder)
    #expect(error?.reason.isEmpty == false)
  }
}
