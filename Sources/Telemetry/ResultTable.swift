/// The table that ends a run.
public enum ResultTable {
  /// One aligned line a round under a header, each with its end; `-` where a figure is missing.
  ///
  /// Bytes are logical ones in kB; seconds include the time spent waiting.
  public static func text(_ reports: [RoundReport]) -> String {
    aligned([columns.map(\.title)] + reports.map { report in columns.map { $0.value(report) } })
  }

  private struct Column: Sendable {
    var title: String
    var value: @Sendable (RoundReport) -> String
  }

  private static let columns = [
    Column(title: "round") { "\($0.round)" },
    Column(title: "train loss") { fixed($0.trainLoss, 4) },
    Column(title: "personalised %") { fixed($0.personalised.map { $0.accuracy * 100 }, 2) },
    Column(title: "global %") { fixed($0.global.map { $0.accuracy * 100 }, 2) },
    Column(title: "gap") { fixed($0.gap.map { $0 * 100 }, 2) },
    Column(title: "ρ") { significant($0.rho) },
    Column(title: "ρ FedIT") { significant($0.rhoFedIT) },
    Column(title: "ρ optimum") { significant($0.rhoOptimum) },
    Column(title: "closed gap") { fixed($0.closedGap, 3) },
    Column(title: "kB up") { fixed(Double($0.bytes.logicalUp) / 1000, 1) },
    Column(title: "kB down") { fixed(Double($0.bytes.logicalDown) / 1000, 1) },
    Column(title: "seconds") { fixed($0.totalSeconds, 2) },
  ]
}

/// Rows of as many cells each as lines whose columns lie below each other: the first `leading` columns, names,
/// to the left, the others, figures, to the right.
public func aligned(_ rows: [[String]], leading: Int = 0) -> String {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max()! }
  return rows.map { row in
    row.enumerated().map { column, cell in
      let space = String(repeating: " ", count: widths[column] - cell.count)
      return column < leading ? cell + space : space + cell
    }.joined(separator: "  ") + "\n"
  }.joined()
}
