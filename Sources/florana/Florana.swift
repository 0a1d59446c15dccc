internal import ArgumentParser
internal import Foundation

@main
struct Florana: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "florana",
    abstract: "Federated LoRA over MPI: real local steps, real messages, measured.",
    discussion: """
      Every command works on one rank and under mpirun:
        mpirun -np 4 florana simulate examples/sentiment.yaml --set training.rounds=5
      Exit status: 0 done, 1 a run that failed, 2 bad usage, configuration or input.
      """,
    version: Version.text,
    subcommands: [
      SimulateCommand.self, CompareCommand.self, ScalingCommand.self, AggregateCommand.self,
      EvaluateCommand.self, GenerateCommand.self, PredictCommand.self, BenchmarkCommand.self,
      DoctorCommand.self,
    ])

  /// As the parser's own, but with the exit statuses of this program, and once a job instead of once a
  /// rank.
  static func main() {
    // A reader that goes away (`| head`) must not end a run that still writes its files.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let code as ExitCode {
      Foundation.exit(code.rawValue)
    } catch {
      let isHelp = exitCode(for: error) == .success
      if Launch.isFirstProcess {
        Terminal.write(fullMessage(for: error) + "\n", to: isHelp ? .standardOutput : .standardError)
      }
      Foundation.exit(isHelp ? 0 : 2)
    }
  }
}
