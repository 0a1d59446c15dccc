import Adapters
import Files
import TestSupport
import Testing

@Suite struct PEFTConfigurationTests {
  private func read(_ json: String) throws -> PEFTConfiguration {
    let folder = try TemporaryFolder()
    return try withExtendedLifetime(folder) {
      try folder.write(json, to: "adapter_config.json")
      return try PEFTConfiguration(folder: folder.path)
    }
  }

  @Test func scalingFollowsRankAndStabilisation() throws {
    let plain = try read(
      #"{"peft_type":"LORA","r":4,"lora_alpha":16,"target_modules":["value","query"]}"#)
    #expect(plain.scaling == 4 && plain.targets == ["query", "value"])
    let stabilised = try read(
      #"{"peft_type":"LORA","r":4,"lora_alpha":16,"target_modules":["query"],"use_rslora":true}"#)
    #expect(stabilised.scaling == 8)
  }

  @Test(arguments: [
    (#""use_dora":true"#, "use_dora"), (#""bias":"all""#, "bias"),
    (#""fan_in_fan_out":true"#, "fan_in_fan_out"), (#""rank_pattern":{"query":2}"#, "rank_pattern"),
    (#""alpha_pattern":{"query":2}"#, "alpha_pattern"), (#""peft_type":"IA3""#, "peft_type"),
    (#""r":0"#, "r:"),
  ])
  func settingsThatChangeTheResultAreRefusedByName(setting: String, key: String) throws {
    var keys = [#""peft_type":"LORA""#, #""r":4"#, #""lora_alpha":16"#, #""target_modules":["query"]"#]
    keys.removeAll { $0.prefix(4) == setting.prefix(4) }
    let error = #expect(throws: PEFTError.self) { try read("{\((keys + [setting]).joined(separator: ","))}") }
    #expect("\(try #require(error))".contains(key))
  }

  @Test func aMissingKeyOrFileIsNamed() throws {
    let error = #expect(throws: PEFTError.self) { try read(#"{"peft_type":"LORA","r":4}"#) }
    #expect("\(try #require(error))".contains("lora_alpha"))
    #expect(throws: PEFTError.self) { try PEFTConfiguration(folder: "nowhere") }
  }

  @Test func whatCannotBeWrittenIsNamedWithItsReason() throws {
    let configuration = try read(
      #"{"peft_type":"LORA","r":4,"lora_alpha":16,"target_modules":["query"]}"#)
    let nothing = AdapterParameters(layout: AdapterLayout(layers: [], head: [], headMode: .frozen))
    try withTemporaryFolder { folder in
      let configurationPath = folder + "/adapter/adapter_config.json"
      try makeFolder(at: configurationPath)
      #expect {
        try PEFTAdapter.write(nothing, configuration, to: folder + "/adapter")
      } throws: {
        "\($0)".hasPrefix("\(configurationPath): expected to write it, found: rename: ")
      }
      try replaceFile(at: folder + "/file", with: "")
      #expect(throws: FileError.self) { try PEFTAdapter.write(nothing, configuration, to: folder + "/file") }
    }
  }
}
