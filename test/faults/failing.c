/*
 * Preloaded under a process: system calls on files of the folder FAULTS_LIVE fail as the file FAULTS_CONTROL
 * says, which is mapped, so that whoever writes it decides at any moment. Its bytes: what fails (a sum of the
 * kinds below), how often in 256 (255: always), and from the fourth on how many calls have failed (32 bits). A write that
 * fails may have written half.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FAIL_WRITE = 1, FAIL_SYNC = 2, FAIL_READ = 4, READ_ONLY = 8, FULL = 16 };

static struct control {
  _Atomic uint8_t what, often;
  uint8_t unused[2];
  _Atomic uint32_t failed;
} *control;
static const char *live;
static size_t live_length;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULTS_CONTROL");
  live = getenv("FAULTS_LIVE");
  if (!path || !live) return;
  live_length = strlen(live);
  int file = open(path, O_RDWR);
  void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (file < 0 || mapped == MAP_FAILED) abort();
  close(file);
  control = mapped;
}

static int is_chosen(void) {
  static _Atomic uint32_t state = 1;
  uint32_t mixed = atomic_fetch_add(&state, 0x9e3779b9u);
  mixed = (mixed ^ (mixed >> 16)) * 0x85ebca6bu;
  mixed = (mixed ^ (mixed >> 13)) * 0xc2b2ae35u;
  return control->often == 255 || (mixed >> 24) < control->often;
}

static int is_live(const char *path) {
  return path && !strncmp(path, live, live_length) && (path[live_length] == '/' || !path[live_length]);
}

static int is_live_file(int file) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return is_live(path);
}

static int fail(int error) {
  atomic_fetch_add(&control->failed, 1);
  errno = error;
  return -1;
}

/* Whether this call fails: 0, or -1 with errno. */
static int trouble(int kind, int file) {
  int what = control ? control->what : 0;
  if (!(what & (kind | READ_ONLY | FULL)) || !is_live_file(file)) return 0;
  if (what & READ_ONLY && kind == FAIL_WRITE) return fail(EROFS);
  if (what & FULL && kind == FAIL_WRITE && is_chosen()) return fail(ENOSPC);
  if (what & kind && is_chosen()) return fail(EIO);
  return 0;
}

static int path_trouble(const char *path) {
  if (!control || !(control->what & READ_ONLY) || !is_live(path)) return 0;
  return fail(EROFS);
}

#define REAL(result, name, ...) result (*real)(__VA_ARGS__) = dlsym(RTLD_NEXT, name)

ssize_t write(int file, const void *bytes, size_t length) {
  REAL(ssize_t, "write", int, const void *, size_t);
  if (!trouble(FAIL_WRITE, file)) return real(file, bytes, length);
  if (errno != EROFS && length > 1) {
    int error = errno;
    real(file, bytes, length / 2);
    errno = error;
  }
  return -1;
}

static ssize_t write_at(const char *name, int file, const void *bytes, size_t length, off_t at) {
  REAL(ssize_t, name, int, const void *, size_t, off_t);
  if (!trouble(FAIL_WRITE, file)) return real(file, bytes, length, at);
  if (errno != EROFS && length > 1) {
    int error = errno;
    real(file, bytes, length / 2, at);
    errno = error;
  }
  return -1;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
  return write_at("pwrite", file, bytes, length, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off_t at) {
  return write_at("pwrite64", file, bytes, length, at);
}

ssize_t writev(int file, const struct iovec *pieces, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  return trouble(FAIL_WRITE, file) ? -1 : real(file, pieces, count);
}

ssize_t read(int file, void *bytes, size_t length) {
  REAL(ssize_t, "read", int, void *, size_t);
  return trouble(FAIL_READ, file) ? -1 : real(file, bytes, length);
}

ssize_t pread(int file, void *bytes, size_t length, off_t at) {
  REAL(ssize_t, "pread", int, void *, size_t, off_t);
  return trouble(FAIL_READ, file) ? -1 : real(file, bytes, length, at);
}

ssize_t pread64(int file, void *bytes, size_t length, off_t at) {
  REAL(ssize_t, "pread64", int, void *, size_t, off_t);
  return trouble(FAIL_READ, file) ? -1 : real(file, bytes, length, at);
}

int fsync(int file) {
  REAL(int, "fsync", int);
  return trouble(FAIL_SYNC, file) ? -1 : real(file);
}

int fdatasync(int file) {
  REAL(int, "fdatasync", int);
  return trouble(FAIL_SYNC, file) ? -1 : real(file);
}

int ftruncate(int file, off_t length) {
  REAL(int, "ftruncate", int, off_t);
  return trouble(FAIL_WRITE, file) ? -1 : real(file, length);
}

int ftruncate64(int file, off_t length) {
  REAL(int, "ftruncate64", int, off_t);
  return trouble(FAIL_WRITE, file) ? -1 : real(file, length);
}

int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  return path_trouble(path) ? -1 : real(path);
}

int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  return path_trouble(to) ? -1 : real(from, to);
}

int access(const char *path, int mode) {
  REAL(int, "access", const char *, int);
  return mode & W_OK && path_trouble(path) ? -1 : real(path, mode);
}

static int open_by(const char *name, const char *path, int flags, mode_t mode) {
  REAL(int, name, const char *, int, ...);
  if (flags & (O_WRONLY | O_RDWR | O_CREAT) && path_trouble(path)) return -1;
  return real(path, flags, mode);
}

#define MODE(flags)                                    \
  mode_t mode = 0;                                     \
  if ((flags) & O_CREAT) {                             \
    va_list more;                                      \
    va_start(more, flags);                             \
    mode = va_arg(more, mode_t);                       \
    va_end(more);                                      \
  }

int open(const char *path, int flags, ...) {
  MODE(flags)
  return open_by("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE(flags)
  return open_by("open64", path, flags, mode);
}
