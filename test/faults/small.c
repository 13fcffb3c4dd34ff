/*
 * Preloaded under a process: the folder FAULTS_LIVE is a disk of FAULTS_SIZE bytes. What would make its files
 * longer than that in sum fails with ENOSPC, and statfs tells how much is left.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *live;
static size_t live_length;
static long long size;

__attribute__((constructor)) static void begin(void) {
  const char *bytes = getenv("FAULTS_SIZE");
  live = getenv("FAULTS_LIVE");
  if (!bytes || !live) abort();
  live_length = strlen(live);
  size = atoll(bytes);
}

static int is_live(const char *path) {
  return !strncmp(path, live, live_length) && (path[live_length] == '/' || !path[live_length]);
}

static long long used_in(const char *folder) {
  long long used = 0;
  DIR *entries = opendir(folder);
  if (!entries) return 0;
  for (struct dirent *entry; (entry = readdir(entries));) {
    char path[PATH_MAX];
    struct stat facts;
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (lstat(path, &facts)) continue;
    if (S_ISDIR(facts.st_mode)) used += used_in(path);
    else if (S_ISREG(facts.st_mode)) used += facts.st_size;
  }
  closedir(entries);
  return used;
}

/* Whether there is room for so many bytes from that place on; a negative place is where the file stands. */
static int has_room(int file, long long at, long long length) {
  char link[64], path[PATH_MAX];
  struct stat facts;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t named = readlink(link, path, sizeof path - 1);
  if (named <= 0) return 1;
  path[named] = 0;
  if (!is_live(path) || fstat(file, &facts) || !S_ISREG(facts.st_mode)) return 1;
  if (at < 0) at = fcntl(file, F_GETFL) & O_APPEND ? facts.st_size : lseek(file, 0, SEEK_CUR);
  long long more = at + length - facts.st_size;
  if (more <= 0 || used_in(live) + more <= size) return 1;
  errno = ENOSPC;
  return 0;
}

static long long sum(const struct iovec *pieces, int count) {
  long long length = 0;
  for (int n = 0; n < count; n++) length += pieces[n].iov_len;
  return length;
}

#define REAL(result, name, ...) result (*real)(__VA_ARGS__) = dlsym(RTLD_NEXT, name)

ssize_t write(int file, const void *bytes, size_t length) {
  REAL(ssize_t, "write", int, const void *, size_t);
  return has_room(file, -1, length) ? real(file, bytes, length) : -1;
}

ssize_t writev(int file, const struct iovec *pieces, int count) {
  REAL(ssize_t, "writev", int, const struct iovec *, int);
  return has_room(file, -1, sum(pieces, count)) ? real(file, pieces, count) : -1;
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) {
  REAL(ssize_t, "pwrite", int, const void *, size_t, off_t);
  return has_room(file, at, length) ? real(file, bytes, length, at) : -1;
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off_t);
  return has_room(file, at, length) ? real(file, bytes, length, at) : -1;
}

ssize_t pwritev(int file, const struct iovec *pieces, int count, off_t at) {
  REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
  return has_room(file, at, sum(pieces, count)) ? real(file, pieces, count, at) : -1;
}

ssize_t pwritev64(int file, const struct iovec *pieces, int count, off_t at) {
  REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off_t);
  return has_room(file, at, sum(pieces, count)) ? real(file, pieces, count, at) : -1;
}

int statfs(const char *path, struct statfs *facts) {
  REAL(int, "statfs", const char *, struct statfs *);
  int result = real(path, facts);
  if (result || !is_live(path)) return result;
  long long left = size - used_in(live);
  facts->f_bsize = 4096;
  facts->f_blocks = size / 4096;
  facts->f_bfree = facts->f_bavail = left > 0 ? left / 4096 : 0;
  return 0;
}

int statfs64(const char *path, struct statfs64 *facts) {
  return statfs(path, (struct statfs *)facts);
}
