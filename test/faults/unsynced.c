/*
 * Preloaded under a process: whenever a file of the folder FAULTS_LIVE is synced, its content is kept in the
 * folder FAULTS_SYNCED. What lies there when the process is killed is what a disk would hold after a power
 * cut that lost every write not synced. Read through the descriptor that was synced: opening and closing the
 * file again would drop SQLite's locks.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void keep(int file) {
  const char *live = getenv("FAULTS_LIVE"), *synced = getenv("FAULTS_SYNCED");
  char link[64], path[4096], temporary[4200], name[4200], block[65536];
  if (!live || !synced) return;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return;
  path[length] = 0;
  size_t folder = strlen(live);
  if (strncmp(path, live, folder) || path[folder] != '/' || strchr(path + folder + 1, '/')) return;
  struct stat facts;
  if (fstat(file, &facts) || !S_ISREG(facts.st_mode)) return;
  snprintf(name, sizeof name, "%s/%s", synced, path + folder + 1);
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
  int result = real(file);
  if (!result) keep(file);
  return result;
}

int fdatasync(int file) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  int result = real(file);
  if (!result) keep(file);
  return result;
}
