/*
 * Preloaded under a process: whenever a file of the folder FAULTS_LIVE is synced, its content is kept in the
 * folder FAULTS_SYNCED. What lies there when the process is killed is what a disk would hold after a power
 * cut that lost every write not synced. Read through the descriptor that was synced: opening and closing the
 * file again would drop SQLite's locks. At the sync of number FAULTS_DIES_AT the process dies before it happens.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether it is a file of the folder itself; its path. */
static int is_live(int file, char *path, size_t size) {
  const char *live = getenv("FAULTS_LIVE");
  char link[64];
  struct stat facts;
  if (!live) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, size - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  size_t folder = strlen(live);
  if (strncmp(path, live, folder) || path[folder] != '/' || strchr(path + folder + 1, '/')) return 0;
  return !fstat(file, &facts) && S_ISREG(facts.st_mode);
}

static void die_in_time(int file) {
  static _Atomic long syncs;
  char path[4096];
  const char *last = getenv("FAULTS_DIES_AT");
  if (last && is_live(file, path, sizeof path) && atomic_fetch_add(&syncs, 1) + 1 >= atol(last)) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
}

static void keep(int file) {
  const char *synced = getenv("FAULTS_SYNCED");
  char path[4096], temporary[4224], name[4200], block[65536];
  if (!synced || !is_live(file, path, sizeof path)) return;
  snprintf(name, sizeof name, "%s/%s", synced, strrchr(path, '/') + 1);
  snprintf(temporary, sizeof temporary, "%s.being-kept", name);
  int copy = open(temporary, O_CREAT | O_TRUNC | O_WRONLY, 0600);
  if (copy < 0) abort();
  off_t at = 0;
  ssize_t got;
  while ((got = pread(file, block, sizeof block, at)) > 0) {
    if (write(copy, block, got) != got) abort();
    at += got;
  }
  close(copy);
  if (rename(temporary, name)) abort();
}

int fsync(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  die_in_time(file);
  int result = real(file);
  if (!result) keep(file);
  return result;
}

int fdatasync(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  die_in_time(file);
  int result = real(file);
  if (!result) keep(file);
  return result;
}
