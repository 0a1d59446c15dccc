#ifndef FLORANA_CMPI_SHIM_H
#define FLORANA_CMPI_SHIM_H

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// MPI's constants are macros that cast addresses (Open MPI) or integers (MPICH), which Swift cannot
// see; and its handles are pointers in one and integers in the other. Each constant is a function
// here, and each handle that is *written* by MPI lies in a struct, so that Swift code is the same for
// both.

typedef struct { MPI_Comm handle; } cmpi_comm;
typedef struct { MPI_Datatype handle; } cmpi_datatype;
typedef struct { MPI_Request handle; } cmpi_request;

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
static inline MPI_Datatype cmpi_uint16(void) { return MPI_UINT16_T; }
static inline MPI_Datatype cmpi_uint64(void) { return MPI_UINT64_T; }

// `count` elements of `size` bytes each as one element of a derived type: blocks of 2²⁰, and what is left.
static inline int cmpi_type_long(MPI_Aint count, MPI_Datatype element, MPI_Aint size, cmpi_datatype *result) {
  const MPI_Aint block_length = 1 << 20;
  MPI_Aint block_count = count / block_length, rest = count % block_length;
  MPI_Datatype parts[2] = {MPI_DATATYPE_NULL, element}, block;
  int lengths[2] = {1, (int)rest};
  MPI_Aint offsets[2] = {0, block_count * block_length * size};
  if (block_count > 0x7fffffff) return MPI_ERR_COUNT;
  int code = MPI_Type_contiguous((int)block_length, element, &block);
  if (code == MPI_SUCCESS) code = MPI_Type_contiguous((int)block_count, block, &parts[0]);
  if (code == MPI_SUCCESS) code = MPI_Type_create_struct(2, lengths, offsets, parts, &result->handle);
  if (code == MPI_SUCCESS) code = MPI_Type_commit(&result->handle);
  if (code == MPI_SUCCESS) code = MPI_Type_free(&block);
  if (code == MPI_SUCCESS) code = MPI_Type_free(&parts[0]);
  return code;
}
static inline int cmpi_type_free(cmpi_datatype *type) { return MPI_Type_free(&type->handle); }

// The elements of a received message, also where they are more than an int counts; negative when they are no
// whole number.
static inline int cmpi_element_count(const MPI_Status *status, MPI_Datatype element, long long *count) {
  MPI_Count found = 0;
  int code = MPI_Get_elements_x(status, element, &found);
  *count = found == MPI_UNDEFINED ? -1 : (long long)found;
  return code;
}

// Operations that are under way

static inline int cmpi_igatherv(
    const void *part, int count, MPI_Datatype type, void *whole, const int *counts, const int *offsets, int root,
    MPI_Comm comm, cmpi_request *request) {
  return MPI_Igatherv(part, count, type, whole, counts, offsets, type, root, comm, &request->handle);
}
static inline int cmpi_ibcast(void *buffer, int count, MPI_Datatype type, int root, MPI_Comm comm, cmpi_request *request) {
  return MPI_Ibcast(buffer, count, type, root, comm, &request->handle);
}
static inline int cmpi_isend(const void *part, int count, MPI_Datatype type, int target, int tag, MPI_Comm comm, cmpi_request *request) {
  return MPI_Isend(part, count, type, target, tag, comm, &request->handle);
}
static inline int cmpi_irecv(void *place, int count, MPI_Datatype type, int source, int tag, MPI_Comm comm, cmpi_request *request) {
  return MPI_Irecv(place, count, type, source, tag, comm, &request->handle);
}
_Static_assert(sizeof(cmpi_request) == sizeof(MPI_Request), "requests lie one after the other as MPI has them");
// The error of one request is returned itself, not MPI_ERR_IN_STATUS.
static inline int cmpi_wait_all(int count, cmpi_request *requests) {
  if (count == 1) return MPI_Wait(&requests->handle, MPI_STATUS_IGNORE);
  MPI_Status *statuses = (MPI_Status *)calloc((size_t)count, sizeof(MPI_Status));
  if (count > 0 && !statuses) return MPI_ERR_NO_MEM;
  int code = MPI_Waitall(count, &requests->handle, statuses), class = MPI_SUCCESS;
  if (code != MPI_SUCCESS && MPI_Error_class(code, &class) == MPI_SUCCESS && class == MPI_ERR_IN_STATUS)
    for (int i = 0; i < count; i++) {
      int own = statuses[i].MPI_ERROR;
      if (own != MPI_SUCCESS && own != MPI_ERR_PENDING) {
        code = own;
        break;
      }
    }
  free(statuses);
  return code;
}
static inline int cmpi_test_all(int count, cmpi_request *requests, int *done) {
  if (count == 1) return MPI_Test(&requests->handle, done, MPI_STATUS_IGNORE);
  return MPI_Testall(count, &requests->handle, done, MPI_STATUSES_IGNORE);
}

// Reductions and marks

static inline MPI_Op cmpi_sum(void) { return MPI_SUM; }
static inline MPI_Op cmpi_min(void) { return MPI_MIN; }
static inline MPI_Op cmpi_max(void) { return MPI_MAX; }
static inline void *cmpi_in_place(void) { return MPI_IN_PLACE; }
static inline int cmpi_any_source(void) { return MPI_ANY_SOURCE; }

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

// Waits until what this process wrote into a pipe has been read, for a second at most.
static inline void cmpi_wait_for_reader(int descriptor) {
  const struct timespec pause = {.tv_nsec = 1000000};
  struct stat file;
  int unread = 0;
  if (fstat(descriptor, &file) != 0 || !S_ISFIFO(file.st_mode)) return;
  for (int millisecond = 0; millisecond < 1000; millisecond++) {
    if (ioctl(descriptor, FIONREAD, &unread) != 0 || unread == 0) return;
    nanosleep(&pause, NULL);
  }
}

// Whatever this process has printed goes out first: MPI_Abort does not flush, and MPICH's launcher drops what it
// has not read by then.
__attribute__((noreturn)) static inline void cmpi_abort(int status) {
  fflush(NULL);
  cmpi_wait_for_reader(STDERR_FILENO);
  cmpi_wait_for_reader(STDOUT_FILENO);
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
