#ifndef FLORANA_CMPI_SHIM_H
#define FLORANA_CMPI_SHIM_H
#include <mpi.h>
#endif
