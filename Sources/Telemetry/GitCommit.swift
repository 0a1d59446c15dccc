internal import Foundation

extension EnvironmentReport {
  /// The commit that is checked out in the repository around a folder; nil outside a repository.
  ///
  /// Reads git's files, so that a cluster's compute node needs no git.
  public static func gitCommit(around folder: String) -> String? {
    var url = URL(fileURLWithPath: folder).standardizedFileURL
    while true {
      if let repository = repository(at: url) { return commit(in: repository) }
      let parent = url.deletingLastPathComponent().standardizedFileURL
      guard parent.path.count < url.path.count else { return nil }
      url = parent
    }
  }

  /// The folder with git's files: `.git` itself, or the one that a file `.git` of a worktree names.
  private static func repository(at folder: URL) -> URL? {
    let git = folder.appendingPathComponent(".git")
    guard let text = try? String(contentsOf: git, encoding: .utf8) else {
      return FileManager.default.fileExists(atPath: git.appendingPathComponent("HEAD").path) ? git : nil
    }
    guard text.hasPrefix("gitdir: ") else { return nil }
    return URL(
      fileURLWithPath: text.dropFirst(8).trimmingCharacters(in: .whitespacesAndNewlines), relativeTo: folder)
  }

  private static func commit(in repository: URL) -> String? {
    guard let head = line(of: repository.appendingPathComponent("HEAD")) else { return nil }
    guard head.hasPrefix("ref: ") else { return head }
    let name = String(head.dropFirst(5))
    let shared =
      line(of: repository.appendingPathComponent("commondir"))
      .map { URL(fileURLWithPath: $0, relativeTo: repository) } ?? repository
    return line(of: shared.appendingPathComponent(name)) ?? packed(name, in: shared)
  }

  private static func packed(_ name: String, in repository: URL) -> String? {
    let packed = try? String(contentsOf: repository.appendingPathComponent("packed-refs"), encoding: .utf8)
    let entry = packed?.split(separator: "\n").first { $0.hasSuffix(" " + name) }
    return entry?.split(separator: " ").first.map(String.init)
  }

  private static func line(of file: URL) -> String? {
    let text = try? String(contentsOf: file, encoding: .utf8)
    return text?.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
