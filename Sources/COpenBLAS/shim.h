#ifndef FLORANA_COPENBLAS_SHIM_H
#define FLORANA_COPENBLAS_SHIM_H
#include <cblas.h>
#include <lapacke.h>
#endif
