/* Writes the header that says what the target's processor is like.
 *
 * Usage: config_gen CPU OUT.h, CPU being Bazel's name of it. */
#include <stdio.h>
#include <string.h>

typedef struct Target {
  const char *cpu;
  const char *architecture;
  int sizeof_long_double;
  int cache_line;
} Target;

static const Target targets[] = {
    {"darwin_arm64", "arm64", 8, 128}, {"darwin_x86_64", "x86_64", 16, 64},
    {"darwin", "x86_64", 16, 64},      {"k8", "x86_64", 16, 64},
    {"x86_64", "x86_64", 16, 64},      {"aarch64", "arm64", 16, 64},
    {"arm64", "arm64", 16, 64},
};

static const Target *Find(const char *cpu) {
  for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); ++i) {
    if (strcmp(targets[i].cpu, cpu) == 0) return &targets[i];
  }
  return NULL;
}

static void Write(FILE *out, const Target *target) {
  fputs("/* The target's processor. Made by config_gen; do not edit. */\n", out);
  fputs("#ifndef TENSORFLOW_CORE_PLATFORM_ARCH_CONFIG_H_\n", out);
  fputs("#define TENSORFLOW_CORE_PLATFORM_ARCH_CONFIG_H_\n\n", out);
  fprintf(out, "#define TF_ARCHITECTURE \"%s\"\n", target->architecture);
  fprintf(out, "#define TF_SIZEOF_LONG_DOUBLE %d\n", target->sizeof_long_double);
  fprintf(out, "#define TF_CACHE_LINE_SIZE %d\n\n", target->cache_line);
  fputs("#endif /* TENSORFLOW_CORE_PLATFORM_ARCH_CONFIG_H_ */\n", out);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s CPU OUT.h\n", argv[0]);
    return 2;
  }
  const Target *target = Find(argv[1]);
  if (target == NULL) {
    fprintf(stderr, "%s: nothing is known of the processor %s\n", argv[0], argv[1]);
    return 1;
  }
  FILE *out = fopen(argv[2], "w");
  if (out == NULL) {
    perror(argv[2]);
    return 1;
  }
  Write(out, target);
  return fclose(out) == 0 ? 0 : 1;
}
