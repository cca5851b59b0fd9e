/*
 * Preloaded into a node under faults: one call on its storage fails, or its clock steps.
 *
 * ASHLAR_SHIM_CONTROL names a file of five 64-bit words in the machine's order, which both sides map:
 *   0  seconds by which the wall clock is off
 *   1  how many calls were made on files under ASHLAR_SHIM_PREFIX, counted here
 *   2  the number of the call that is to fail, 0 for none
 *   3  the error number that it fails with
 *   4  how many calls have failed, counted here
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int64_t nothing[5];
static volatile int64_t *control = nothing;
static const char *prefix = "";

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("ASHLAR_SHIM_CONTROL");
  const char *under = getenv("ASHLAR_SHIM_PREFIX");
  if (name == NULL) return;
  if (under != NULL) prefix = under;
  int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  int fd = real(name, O_RDWR);
  void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, 40, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (shared == MAP_FAILED) {
    perror("ashlar shim");
    _exit(1);
  }
  control = shared;
}

/* Whether this call is the one that fails. */
static int fails(int counts) {
  if (!counts || *prefix == 0) return 0;
  int64_t number = __atomic_add_fetch(&control[1], 1, __ATOMIC_SEQ_CST);
  if (number != control[2]) return 0;
  __atomic_add_fetch(&control[4], 1, __ATOMIC_SEQ_CST);
  errno = (int) control[3];
  return 1;
}

static int is_ours(const char *path) {
  return strncmp(path, prefix, strlen(prefix)) == 0;
}

static int is_file_of_ours(int fd) {
  char link[64], path[PATH_MAX];
  if (*prefix == 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_ours(path);
}

#define CALL(type, name, parameters, ...) \
  type name parameters { \
    static type(*real) parameters; \
    if (real == NULL) real = dlsym(RTLD_NEXT, #name); \
    int saved = errno; \
    int counts = is_file_of_ours(fd); \
    errno = saved; \
    return fails(counts) ? (type) -1 : real(__VA_ARGS__); \
  }

CALL(ssize_t, write, (int fd, const void *bytes, size_t size), fd, bytes, size)
CALL(ssize_t, writev, (int fd, const struct iovec *parts, int count), fd, parts, count)
CALL(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), fd, bytes, size, at)
CALL(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at), fd, bytes, size, at)
CALL(ssize_t, pwritev, (int fd, const struct iovec *parts, int count, off_t at), fd, parts, count, at)
CALL(int, fsync, (int fd), fd)
CALL(int, fdatasync, (int fd), fd)
CALL(int, ftruncate, (int fd, off_t size), fd, size)
CALL(int, ftruncate64, (int fd, off64_t size), fd, size)
CALL(int, fallocate, (int fd, int mode, off_t at, off_t size), fd, mode, at, size)

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    static int (*real)(const char *, int, ...); \
    if (real == NULL) real = dlsym(RTLD_NEXT, #name); \
    va_list more; \
    va_start(more, flags); \
    mode_t mode = va_arg(more, mode_t); \
    va_end(more); \
    return fails(is_ours(path)) ? -1 : real(path, flags, mode); \
  }

OPEN(open)
OPEN(open64)

int clock_gettime(clockid_t clock, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (real == NULL) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, now);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += control[0];
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  static int (*real)(struct timeval *restrict, void *restrict);
  if (real == NULL) real = dlsym(RTLD_NEXT, "gettimeofday");
  int result = real(now, zone);
  now->tv_sec += control[0];
  return result;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != NULL) *result = now.tv_sec;
  return now.tv_sec;
}
