import Configuration
import Foundation
import TestSupport
import Testing

/// The configurations in `examples/`.
@Suite struct ExampleTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "examples")

  private static func configurations(_ path: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path + path)) ?? []
    return names.filter { $0.hasSuffix(".yaml") }.sorted().map { path + $0 }
  }

  private static let presets = configurations("/presets/")

  @Test(arguments: configurations("/") + presets)
  func everyExampleIsAccepted(path: String) throws {
    let configuration = try RunConfiguration.load(path: Self.folder.path + path)
    let models = ["classification": "all-MiniLM-L6-v2", "generation": "SmolLM2-135M-Instruct"]
    #expect(try configuration.model.path == "models/" + #require(models[configuration.model.task.rawValue]))
  }

  @Test func thereIsAPresetForEveryPaper() {
    let names = ["fedex-lora", "fedsa-lora", "ffa-lora", "flora-na", "flora", "florg"]
    #expect(Self.presets == names.map { "/presets/\($0).yaml" }.sorted())
  }

  @Test(arguments: presets)
  func aPresetNamesTheCommandsThatItNeeds(path: String) throws {
    let text = try text(ofFileAt: Self.folder.path + path)
    let data = try RunConfiguration.load(path: Self.folder.path + path).data.path
    let tasks = ["data/cola": "CoLA", "data/sst-2": "SST-2"]
    #expect(try text.contains("scripts/prepare_data.py glue \(#require(tasks[data])) --input"))
    #expect(text.contains("florana simulate examples\(path)\n"))
  }

  @Test(arguments: presets)
  func everySettingOfAPresetSaysWhereItIsFrom(path: String) throws {
    let lines = try text(ofFileAt: Self.folder.path + path).split(separator: "\n")
    for line in lines where line.contains(": ") && !line.hasPrefix("#") && !line.hasPrefix("method:") {
      #expect(line.contains("# [") || line.contains("# PEFT"), "\(path): \(line)")
    }
  }
}
