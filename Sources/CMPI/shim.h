#ifndef FLORANA_CMPI_SHIM_H
#define FLORANA_CMPI_SHIM_H

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

// MPI's constants are macros that cast addresses (Open MPI) or integers (MPICH), which Swift cannot
// see; and its handles are pointers in one and integers in the other. Each constant is a function
// here, and each handle that is *written* by MPI lies in a struct, so that Swift code is the same for
// both.

typedef struct { MPI_Comm handle; } cmpi_comm;
typedef struct { MPI_Message handle; } cmpi_message;

// Communicators

static inline MPI_Comm cmpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline int cmpi_undefined(void) { return MPI_UNDEFINED; }
static inline int cmpi_errors_return(MPI_Comm comm) { return MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN); }

static inline int cmpi_comm_split(MPI_Comm parent, int color, int key, cmpi_comm *child) {
  return MPI_Comm_split(parent, color, key, &child->handle);
}
static inline int cmpi_comm_free(MPI_Comm comm) { return MPI_Comm_free(&comm); }

// Datatypes

static inline MPI_Datatype cmpi_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype cmpi_double(void) { return MPI_DOUBLE; }
static inline MPI_Datatype cmpi_int32(void) { return MPI_INT32_T; }
static inline MPI_Datatype cmpi_int64(void) { return MPI_INT64_T; }
static inline MPI_Datatype cmpi_uint8(void) { return MPI_UINT8_T; }
static inline MPI_Datatype cmpi_uint64(void) { return MPI_UINT64_T; }

// Reductions and marks

static inline MPI_Op cmpi_sum(void) { return MPI_SUM; }
static inline MPI_Op cmpi_min(void) { return MPI_MIN; }
static inline MPI_Op cmpi_max(void) { return MPI_MAX; }
static inline void *cmpi_in_place(void) { return MPI_IN_PLACE; }
static inline int cmpi_any_source(void) { return MPI_ANY_SOURCE; }

// Messages of unknown length

static inline int cmpi_mprobe(int source, int tag, MPI_Comm comm, cmpi_message *message, MPI_Status *status) {
  return MPI_Mprobe(source, tag, comm, &message->handle, status);
}
static inline int cmpi_mrecv(
  void *buffer, int count, MPI_Datatype type, cmpi_message *message, MPI_Status *status) {
  return MPI_Mrecv(buffer, count, type, &message->handle, status);
}

// Start and end. Thread levels are 0 single, 1 funneled, 2 serialized, 3 multiple.

static inline int cmpi_thread_level(int level) {
  switch (level) {
    case 0: return MPI_THREAD_SINGLE;
    case 1: return MPI_THREAD_FUNNELED;
    case 2: return MPI_THREAD_SERIALIZED;
    default: return MPI_THREAD_MULTIPLE;
  }
}
static inline int cmpi_thread_level_index(int provided) {
  for (int level = 3; level > 0; level--)
    if (provided >= cmpi_thread_level(level)) return level;
  return 0;
}
static inline int cmpi_init(int level, int *provided) {
  int value = MPI_THREAD_SINGLE;
  int code = MPI_Init_thread(NULL, NULL, cmpi_thread_level(level), &value);
  *provided = cmpi_thread_level_index(value);
  return code;
}

// Whatever this process has printed goes out first: MPI_Abort does not flush.
__attribute__((noreturn)) static inline void cmpi_abort(int status) {
  fflush(NULL);
  MPI_Abort(MPI_COMM_WORLD, status);
  abort();
}

// Error classes and the lengths of texts

static inline int cmpi_success(void) { return MPI_SUCCESS; }
static inline int cmpi_err_buffer(void) { return MPI_ERR_BUFFER; }
static inline int cmpi_err_count(void) { return MPI_ERR_COUNT; }
static inline int cmpi_err_type(void) { return MPI_ERR_TYPE; }
static inline int cmpi_err_tag(void) { return MPI_ERR_TAG; }
static inline int cmpi_err_comm(void) { return MPI_ERR_COMM; }
static inline int cmpi_err_rank(void) { return MPI_ERR_RANK; }
static inline int cmpi_err_root(void) { return MPI_ERR_ROOT; }
static inline int cmpi_err_op(void) { return MPI_ERR_OP; }
static inline int cmpi_err_arg(void) { return MPI_ERR_ARG; }
static inline int cmpi_err_truncate(void) { return MPI_ERR_TRUNCATE; }
static inline int cmpi_err_other(void) { return MPI_ERR_OTHER; }
static inline int cmpi_err_intern(void) { return MPI_ERR_INTERN; }
static inline int cmpi_err_no_mem(void) { return MPI_ERR_NO_MEM; }

static inline int cmpi_max_error_string(void) { return MPI_MAX_ERROR_STRING; }
static inline int cmpi_max_processor_name(void) { return MPI_MAX_PROCESSOR_NAME; }
static inline int cmpi_max_library_version_string(void) { return MPI_MAX_LIBRARY_VERSION_STRING; }

#endif
