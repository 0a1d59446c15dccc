public import ArgumentParser
public import Transformer

extension Precision: ExpressibleByArgument {}

enum PrecisionHelp {
  static let text: ArgumentHelp = "The precision of products with the frozen weights."
}
