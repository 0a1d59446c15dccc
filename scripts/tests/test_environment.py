"""What the Python scripts take from environment.sh."""

import os
import unittest
from pathlib import Path
from unittest import mock

from preparation import environment


class EnvironmentTests(unittest.TestCase):
    def setUp(self):
        environment.mpi.cache_clear()
        self.addCleanup(environment.mpi.cache_clear)

    def surroundings(self, **variables):
        kept = {key: value for key, value in os.environ.items() if key not in ("FLORANA", "MPI_PKGCONFIG", "MPIRUN")}
        return mock.patch.dict(os.environ, {**kept, **variables}, clear=True)

    def test_the_usual_build(self):
        with self.surroundings():
            self.assertEqual(environment.program(), environment.ROOT / ".build/release/florana")
            self.assertEqual(environment.launcher(), "mpirun")
            self.assertIn("--oversubscribe", environment.sharing())

    def test_another_mpi_has_a_build_and_a_launcher_of_its_own(self):
        with self.surroundings(MPI_PKGCONFIG="mpich", MPIRUN="path of/mpirun"):
            self.assertEqual(environment.program("debug"), environment.ROOT / ".build-mpich/debug/florana")
            self.assertEqual(environment.launcher(), "path of/mpirun")
            self.assertEqual(environment.sharing(), [])

    def test_a_program_can_be_named(self):
        with self.surroundings(FLORANA="elsewhere/florana", MPI_PKGCONFIG="mpich"):
            self.assertEqual(environment.program(), Path("elsewhere/florana"))

    def test_a_callers_variable_of_a_common_name_is_left_alone(self):
        with self.surroundings(BUILD="other"):
            self.assertEqual(environment.program(), environment.ROOT / ".build/release/florana")


if __name__ == "__main__":
    unittest.main()
