import LaunchSupport
import Testing

/// Everything that starts the built program, one job after another: ranks of several jobs at once would
/// only wait for each other's cores.
@Suite(.serialized, .enabled("needs the mpirun of its MPI") { Job.launcher != nil })
struct LaunchTests {}
