/* Writes the Python function of every op in a .def file.
 *
 * Usage: op_gen OPS.def OUT.py */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_WORDS 16
#define MAX_LINE 256

/* MatMul -> mat_mul; a digit after a V belongs to it: AddV2 -> add_v2. */
static void PrintSnakeCase(FILE *out, const char *name) {
  for (const char *at = name; *at; ++at) {
    if (isupper((unsigned char)*at) && at != name) fputc('_', out);
    fputc(tolower((unsigned char)*at), out);
  }
}

static void PrintOp(FILE *out, char **words, int count, int colon) {
  fputs("\n\ndef ", out);
  PrintSnakeCase(out, words[0]);
  for (int i = 1; i < count; ++i) {
    if (i == colon) continue;
    fprintf(out, "%s%s%s", i == 1 ? "(" : ", ", words[i], i > colon ? "=0" : "");
  }
  fprintf(out, "):\n    return _execute.execute(\"%s\", [", words[0]);
  for (int i = 1; i < colon; ++i) fprintf(out, "%s%s", i == 1 ? "" : ", ", words[i]);
  fputs("]", out);
  for (int i = colon + 1; i < count; ++i) fprintf(out, ", %s=%s", words[i], words[i]);
  fputs(")\n", out);
}

static void Translate(char *line, FILE *out) {
  char *words[MAX_WORDS];
  int count = 0, colon = -1;
  for (char *word = strtok(line, " \n"); word && count < MAX_WORDS; word = strtok(NULL, " \n")) {
    if (strcmp(word, ":") == 0) colon = count;
    words[count++] = word;
  }
  if (count == 0 || words[0][0] == '#') return;
  PrintOp(out, words, count, colon < 0 ? count : colon);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s OPS.def OUT.py\n", argv[0]);
    return 2;
  }
  FILE *in = fopen(argv[1], "r"), *out = fopen(argv[2], "w");
  if (in == NULL || out == NULL) {
    perror(in == NULL ? argv[1] : argv[2]);
    return 1;
  }
  fputs("\"\"\"Functions of the ops. Made by op_gen; do not edit.\"\"\"\n\n", out);
  fputs("from tensorflow.python.eager import execute as _execute\n", out);
  char line[MAX_LINE];
  while (fgets(line, sizeof(line), in)) Translate(line, out);
  fclose(in);
  return fclose(out) == 0 ? 0 : 1;
}
