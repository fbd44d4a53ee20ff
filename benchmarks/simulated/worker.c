/* An action of known cost, which tells a journal outside the sandbox that it ran.
 *
 * Usage: worker COST SIZE OUTPUT INPUT...
 * COST is MILLISECONDS:MILLISECONDS, asleep and at work. OUTPUT gets SIZE bytes that follow from the
 * inputs' bytes alone. The journal is the file that SIM_JOURNAL names; each line is written at once.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t hash = 14695981039346656037u; /* FNV-1a */

static void take(const char *path) {
  FILE *file = fopen(path, "rb");
  int byte;
  if (!file) {
    perror(path);
    exit(1);
  }
  while ((byte = getc(file)) != EOF) hash = (hash ^ (uint64_t)byte) * 1099511628211u;
  fclose(file);
}

static void note(const char *word, const char *output) {
  char line[1024];
  const char *path = getenv("SIM_JOURNAL");
  int length = snprintf(line, sizeof line, "%s %s\n", word, output);
  int file = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0666) : -1;
  if (file < 0 || write(file, line, (size_t)length) != length) {
    perror("SIM_JOURNAL");
    exit(1);
  }
  close(file);
}

static void rest(long milliseconds) {
  struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

static void labour(long milliseconds) {
  struct timespec used;
  volatile uint64_t sum = 0;
  do {
    for (int i = 0; i < 10000; i++) sum += (uint64_t)i;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  } while (used.tv_sec * 1000 + used.tv_nsec / 1000000 < milliseconds);
}

static void write_out(const char *path, long size) {
  FILE *file = fopen(path, "wb");
  if (!file) {
    perror(path);
    exit(1);
  }
  for (uint64_t state = hash | 1; size > 0; size--) {
    state ^= state << 13; /* xorshift64 */
    state ^= state >> 7;
    state ^= state << 17;
    putc((int)(state >> 56), file);
  }
  fclose(file);
}

int main(int argc, char **argv) {
  char *rest_of_cost;
  if (argc < 4) return 2;
  note("begin", argv[3]);
  for (int i = 4; i < argc; i++) take(argv[i]);
  rest(strtol(argv[1], &rest_of_cost, 10));
  labour(strtol(rest_of_cost + 1, NULL, 10));
  write_out(argv[3], strtol(argv[2], NULL, 10));
  note("end", argv[3]);
  return 0;
}
