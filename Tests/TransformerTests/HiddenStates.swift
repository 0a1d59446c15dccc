import Adapters
import LinearAlgebra
import Safetensors
import Testing

@testable import Transformer

/// Expects the hidden states of a fixture's sentences, all in one batch, to be those of transformers: the first
/// sentence's all, of every sentence those of both ends and the norm.
func expectHiddenStates(of model: String, in fixture: String) throws {
  let pretrained = try PretrainedModel(path: model)
  let layout = AdapterLayout(layers: [], head: pretrained.headTensors(labelCount: 2), headMode: .frozen)
  let batch = try LabelledBatch(Golden.file("\(fixture)/sentences.safetensors")).batch
  let hidden = try pretrained.hidden(
    batch, under: AdapterParameters(layout: layout), keepingTape: false)
  let expected = try Golden.file("\(fixture)/expected-base.safetensors")
  let (firsts, lasts) = (try expected.floatArray(named: "first"), try expected.floatArray(named: "last"))
  let norms = try expected.floatArray(named: "frobenius")
  for sequence in 0..<batch.sequenceCount {
    let rows = batch.offsets[sequence]..<batch.offsets[sequence + 1]
    let columns = sequence * hidden.columns..<(sequence + 1) * hidden.columns
    #expect(relativeError(hidden.row(rows.lowerBound), Array(firsts[columns])) < 1e-5)
    #expect(relativeError(hidden.row(rows.upperBound - 1), Array(lasts[columns])) < 1e-5)
    let squares: [Double] = rows.flatMap { hidden.row($0) }.map { Double($0) * Double($0) }
    let norm = squares.reduce(0, +).squareRoot()
    #expect(abs(norm / Double(norms[sequence]) - 1) < 1e-5)
  }
  let whole = try expected.floatArray(named: "hidden.0")
  #expect(relativeError((0..<batch.offsets[1]).flatMap { hidden.row($0) }, whole) < 1e-5)
}

extension Matrix {
  func row(_ index: Int) -> ArraySlice<Scalar> { elements[index * columns..<(index + 1) * columns] }
}
