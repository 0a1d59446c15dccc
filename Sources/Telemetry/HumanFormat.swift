internal import Foundation

/// A number of bytes for people: `999 B`, `1.5 kB`, `90.9 MB`; a kB is 1000 bytes.
public func formattedBytes(_ count: Int) -> String {
  let units = ["kB", "MB", "GB", "TB"]
  var value = Double(count)
  guard count >= 1000 else { return "\(count) B" }
  for unit in units {
    value /= 1000
    if value < 999.95 || unit == units.last { return "\(fixed(value, 1)) \(unit)" }
  }
  return "\(count) B"
}

/// A time for people: `0.45 s`, `12.3 s`, `2 min 05 s`, `1 h 02 min`.
public func formattedDuration(seconds: Double) -> String {
  guard seconds.isFinite, seconds >= 0, seconds < 1e15 else { return "-" }
  if seconds < 9.995 { return "\(fixed(seconds, 2)) s" }
  if seconds < 59.95 { return "\(fixed(seconds, 1)) s" }
  let whole = Int(seconds.rounded())
  if whole < 3600 { return "\(whole / 60) min \(twoDigits(whole % 60)) s" }
  let minutes = Int((seconds / 60).rounded())
  return "\(minutes / 60) h \(twoDigits(minutes % 60)) min"
}

/// A number with a fixed number of decimals; `-` if there is none or it is not finite.
public func fixed(_ value: Double?, _ decimals: Int) -> String {
  guard let value, value.isFinite else { return "-" }
  return String(format: "%.\(decimals)f", value)
}

/// A number with three significant digits, for figures of any magnitude such as ρ.
public func significant(_ value: Double?) -> String {
  guard let value, value.isFinite else { return "-" }
  return value != 0 && abs(value) < 1e-3 ? String(format: "%.2e", value) : String(format: "%.4f", value)
}

private func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
