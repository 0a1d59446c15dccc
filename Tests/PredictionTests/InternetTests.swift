import Prediction
import Testing

@Suite struct InternetTests {
  private func isClose(_ found: Double, _ wanted: Double) -> Bool { abs(found - wanted) < 1e-9 * abs(wanted) }

  /// 8 Mbit/s up (1 MB/s), 16 Mbit/s down, 10 ms.
  private let usual = Network.client(upMbps: 8, downMbps: 16, latencyMilliseconds: 10)
  private let slow = Network.client(upMbps: 2, downMbps: 4, latencyMilliseconds: 30)

  @Test func theSlowestClientOrTheServersLink() {
    let narrow = InternetFederation(clients: [usual], serverBytesPerSecond: 20e6)
    // Ten clients of 1 MB: each needs 1.01 s, the server's 20 MB/s half a second.
    #expect(isClose(narrow.uploadSeconds(largestBytes: 1e6, totalBytes: 10e6, cohort: 10), 1.01))
    #expect(isClose(narrow.downloadSeconds(largestBytes: 1e6, totalBytes: 10e6, cohort: 10), 0.51))
    #expect(isClose(narrow.uploadSeconds(largestBytes: 1e6, totalBytes: 100e6, cohort: 100), 5.01))
  }

  @Test func theMeanOfTheSlowestOverCohorts() {
    let wide = InternetFederation(
      clients: [usual, usual, usual, slow], serverBytesPerSecond: 1e12)
    // One of four is slow: a cohort of one meets it in a quarter of the draws, of two in half, of four always.
    let (a, b) = (1.01, 4.03)
    func seconds(_ cohort: Int) -> Double {
      wide.uploadSeconds(largestBytes: 1e6, totalBytes: 1e6, cohort: cohort)
    }
    #expect(isClose(seconds(1), 0.75 * a + 0.25 * b))
    #expect(isClose(seconds(2), 0.5 * a + 0.5 * b))
    #expect(isClose(seconds(4), b))
    // Eight from a table of four: drawn with repetition, (3/4)⁸ of the draws meet no slow one.
    let missed = 6561.0 / 65536
    #expect(isClose(seconds(8), missed * a + (1 - missed) * b))
  }

  @Test func aTableOfClientsIsRead() throws {
    let text = "up-mbps, client,latency-ms,down-mbps\r\n8,a,10,16\r\n\r\n2,b,30,4\r\n"
    #expect(try ClientLink.table(csv: text, origin: "c.csv") == [usual, slow])
  }

  @Test(arguments: [
    ("", "c.csv: expected JSON lines"), ("client,up-mbps\n1,2\n", "c.csv: expected JSON lines"),
    ("client,up-mbps,down-mbps,latency-ms\n", "c.csv: expected a line a client"),
    ("client,up-mbps,down-mbps,latency-ms\n1,2,3\n", "c.csv:2: expected 4 values, found 3"),
    ("client,up-mbps,down-mbps,latency-ms\n1,2,3,4\n1,2,3,4\n", "c.csv:3: expected each client once"),
    ("client,up-mbps,down-mbps,latency-ms\n1,0,3,4\n", "c.csv:2: up-mbps: expected a number above zero"),
    (
      "client,up-mbps,down-mbps,latency-ms\n1,2,fast,4\n",
      "c.csv:2: down-mbps: expected a number above zero, found fast"
    ),
    ("client,up-mbps,down-mbps,latency-ms\n1,2,3,-4\n", "c.csv:2: latency-ms"),
  ])
  func damagedTablesAreRefused(text: String, problem: String) {
    do throws(PredictionError) {
      _ = try ClientLink.table(csv: text, origin: "c.csv")
      Issue.record("accepted")
    } catch { #expect(error.description.hasPrefix(problem), "\(error)") }
  }

  @Test func networksByNameAndRate() throws {
    guard case .cluster(let gigabit) = try Network("1gbe", origin: "o"),
      case .cluster(let rate) = try Network("2.5gbit,80us", origin: "o"),
      case .cluster(let bare) = try Network("200mbit", origin: "o"),
      case .internet(let lte) = try Network("lte", origin: "o")
    else {
      Issue.record("another kind of network")
      return
    }
    // 1448 of 1538 bytes on the wire: 941 Mbit/s.
    #expect(abs(gigabit.bytesPerSecond * 8e-6 - 941.5) < 0.1)
    #expect(
      isClose(rate.bytesPerSecond, 2.5 * gigabit.bytesPerSecond) && isClose(rate.latencySeconds!, 80e-6))
    #expect(isClose(bare.bytesPerSecond, gigabit.bytesPerSecond / 5) && bare.latencySeconds == nil)
    #expect(lte == Network.client(upMbps: 10, downMbps: 40, latencyMilliseconds: 25))
  }

  @Test(arguments: [
    "1gbee", "mbit", "0mbit", "-1gbit", "100mbit,", "100mbit,x", "100mbit,1us,2us", "nanmbit", "",
  ])
  func unknownNetworksAreRefused(name: String) {
    do throws(PredictionError) {
      _ = try Network(name, origin: "--network")
      Issue.record("accepted")
    } catch {
      #expect(error.description.hasPrefix("--network: expected infiniband-hdr, 10gbe"))
      #expect(name != "1gbee" || error.description.hasSuffix("found 1gbee; did you mean 1gbe?"))
    }
  }
}
