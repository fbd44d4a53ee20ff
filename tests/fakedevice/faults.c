// The counters and faults of faults.h.

#define _GNU_SOURCE

#include "faults.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tensorflow/c/tf_datatype.h"

typedef struct {
  char name[120];
  uint64_t count;
} Record;

enum { kRecords = 4096, kFaults = 64, kConditions = 4 };
enum { kLongestText = 4096, kLeakedBytes = 1 << 20, kSlowMicroseconds = 20000 };

typedef enum { MISSING, WRONG, STALE, NOT_A_NUMBER, HALF, CRASH, HANG, LEAK, SLOW, KINDS } Kind;
static const char* const kKinds[KINDS] = {"missing", "wrong", "stale", "nan", "half",
                                          "crash",   "hang",  "leak",  "slow"};

typedef enum { BATCH, DIM, TYPE, CALL, QUANTITIES } Quantity;
static const char* const kQuantities[QUANTITIES] = {"batch", "dim", "type", "call"};

typedef struct {
  Quantity quantity;
  int is_minimum;
  int64_t value;
} Condition;

typedef struct {
  char op[64];
  Kind kind;
  Condition conditions[kConditions];
  int condition_count;
  Record* record;
  int64_t calls;
  void* last;  // of `stale`: the result of the run before
  size_t last_bytes;
} Fault;

struct FakeOp {
  Record* record;
  Fault* faults[kFaults];
  int fault_count;
};

static Record* records;
static int record_count;
static FakeOp* ops;
static int op_count;
static Fault faults[kFaults];
static int fault_count;
static int is_forked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void* volatile leaked;  // without a reader, a compiler may leave the allocation out

static void Refuse(const char* what, const char* fault) {
  fprintf(stderr, "FAKEDEVICE: %s: %s\n", what, fault);
  abort();
}

static Record* Named(Record* record, const char* kind, const char* name) {
  memset(record->name, 0, sizeof(record->name));
  snprintf(record->name, sizeof(record->name), "%s %s", kind, name);
  return record;
}

static void Map(void) {
  const size_t bytes = kRecords * sizeof(Record);
  const char* path = getenv("FAKEDEVICE_COUNTS");
  const int file = path ? open(path, O_RDWR | O_CREAT, 0644) : -1;
  if (path && (file < 0 || ftruncate(file, (off_t)bytes) != 0)) Refuse("cannot be written", path);
  const int flags = path ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS;
  records = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
  if (records == MAP_FAILED) Refuse("cannot be mapped", path ? path : "memory");
  if (path) close(file);
}

static int IndexOf(const char* word, size_t length, const char* const* words, int count) {
  for (int i = 0; i < count; ++i)
    if (strlen(words[i]) == length && strncmp(words[i], word, length) == 0) return i;
  return -1;
}

static void ParseCondition(Fault* fault, const char* text) {
  if (fault->condition_count == kConditions) Refuse("more than four conditions", text);
  Condition* condition = &fault->conditions[fault->condition_count++];
  const size_t length = strcspn(text, ">=");
  const int quantity = IndexOf(text, length, kQuantities, QUANTITIES);
  char* end = NULL;
  const char* sign = text + length;
  condition->is_minimum = *sign == '>';
  const char* number = sign + condition->is_minimum + 1;
  if (quantity < 0 || number[-1] != '=') Refuse("no such condition", text);
  condition->quantity = (Quantity)quantity;
  condition->value = strtoll(number, &end, 10);
  if (end == number || *end) Refuse("no number", text);
}

static void ParseFault(char* text) {
  if (fault_count == kFaults) Refuse("too many faults", text);
  Fault* fault = &faults[fault_count++];
  fault->record = Named(&records[fault_count - 1], "fault", text);
  char* rest = NULL;
  const char* op = strtok_r(text, ":", &rest);
  const char* kind = strtok_r(NULL, ":", &rest);
  const int index = kind ? IndexOf(kind, strlen(kind), kKinds, KINDS) : -1;
  if (index < 0 || strlen(op) >= sizeof(fault->op)) Refuse("no such fault", fault->record->name);
  strcpy(fault->op, op);
  fault->kind = (Kind)index;
  for (char* word; (word = strtok_r(NULL, ":", &rest));) ParseCondition(fault, word);
}

static char* PlantedText(void) {
  const char* variable = getenv("FAKEDEVICE_FAULTS");
  if (!variable || *variable != '@') return strdup(variable ? variable : "");
  FILE* file = fopen(variable + 1, "r");
  if (!file) Refuse("cannot be read", variable);
  char* text = calloc(1, kLongestText + 1);
  const size_t length = fread(text, 1, kLongestText, file);
  fclose(file);
  text[length - (length && text[length - 1] == '\n')] = 0;
  return text;
}

static void PlantIn(FakeOp* op) {
  op->fault_count = 0;
  for (int i = 0; i < fault_count; ++i)
    if (strcmp(faults[i].op, op->record->name + strlen("run ")) == 0)
      op->faults[op->fault_count++] = &faults[i];
}

static void Plant(void) {
  memset(faults, 0, sizeof(faults));
  fault_count = 0;
  char* text = PlantedText();
  char* rest = NULL;
  for (char* word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
    ParseFault(word);
  free(text);
  for (int i = 0; i < op_count; ++i) PlantIn(&ops[i]);
}

static void Forked(void) { is_forked = 1; }

// A process that was forked after the device was loaded has faults of its own.
static void PlantOnceForked(void) {
  if (!__atomic_load_n(&is_forked, __ATOMIC_ACQUIRE)) return;
  pthread_mutex_lock(&lock);
  if (is_forked) Plant();
  __atomic_store_n(&is_forked, 0, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&lock);
}

static void Initialise(void) {
  Map();
  ops = calloc(kRecords, sizeof(FakeOp));
  record_count = kFaults;  // the first are the faults'
  Plant();
  pthread_atfork(NULL, NULL, Forked);
}

FakeOp* FakeOpNamed(const char* name) {
  if (!records) Initialise();
  for (int i = 0; i < op_count; ++i)
    if (strcmp(ops[i].record->name + strlen("run "), name) == 0) return &ops[i];
  if (record_count == kRecords) Refuse("no room for more ops", name);
  FakeOp* op = &ops[op_count++];
  op->record = Named(&records[record_count++], "run", name);
  PlantIn(op);
  return op;
}

int FakeHasFaults(const FakeOp* op) { return op->fault_count > 0; }

static void Count(Record* record) { __atomic_add_fetch(&record->count, 1, __ATOMIC_RELAXED); }

int FakeIsMissing(FakeOp* op) {
  PlantOnceForked();
  int is_missing = 0;
  for (int i = 0; i < op->fault_count; ++i)
    if (op->faults[i]->kind == MISSING) {
      Count(op->faults[i]->record);
      is_missing = 1;
    }
  return is_missing;
}

static int Holds(Fault* fault, const FakeResult* result) {
  const Condition* call = NULL;
  const int64_t values[QUANTITIES] = {result->batch, result->longest, result->type, 0};
  for (int i = 0; i < fault->condition_count; ++i) {
    const Condition* condition = &fault->conditions[i];
    const int64_t value = values[condition->quantity];
    if (condition->quantity == CALL)
      call = condition;
    else if (condition->is_minimum ? value < condition->value : value != condition->value)
      return 0;
  }
  const int64_t calls = ++fault->calls;
  return !call || (call->is_minimum ? calls >= call->value : calls == call->value);
}

// The bits of one element, and of what is planted there.
typedef struct {
  size_t size;
  uint64_t not_a_number, one;
  uint64_t tenth;  // about 10 % more, in units of the last mantissa bit
  int dropped;     // mantissa bits that a number of half the width has not
} Format;

static Format FormatOf(int type) {
  switch (type) {
    case TF_FLOAT:
    case TF_COMPLEX64:
      return (Format){4, 0x7fc00000, 0x3f800000, 0x0ccccc, 13};
    case TF_DOUBLE:
    case TF_COMPLEX128:
      return (Format){8, 0x7ff8000000000000, 0x3ff0000000000000, 0x1999999999999, 29};
    case TF_HALF:
      return (Format){2, 0x7e00, 0x3c00, 0x66, 3};
    case TF_BFLOAT16:
      return (Format){2, 0x7fc0, 0x3f80, 0x0d, 0};
    case TF_INT64:
    case TF_UINT64:
      return (Format){8, 0, 1, 1, 0};
    case TF_INT32:
    case TF_UINT32:
      return (Format){4, 0, 1, 1, 0};
    case TF_INT16:
    case TF_UINT16:
      return (Format){2, 0, 1, 1, 0};
    case TF_INT8:
    case TF_UINT8:
    case TF_BOOL:
      return (Format){1, 0, 1, 1, 0};
    default:  // a handle, a string: nothing that could be planted
      return (Format){0, 0, 0, 0, 0};
  }
}

static uint64_t Read(const char* at, size_t size) {
  uint64_t bits = 0;
  memcpy(&bits, at, size);
  return bits;
}

static int Wrong(const FakeResult* result, Format format) {
  char* at = (char*)result->data + result->bytes - format.size;
  uint64_t bits = Read(at, format.size);
  // A tenth of nothing is nothing, and a truth has no tenth: there one takes its turn.
  bits = bits == 0 ? format.one : result->type == TF_BOOL ? 0 : bits + format.tenth;
  memcpy(at, &bits, format.size);
  return 1;
}

static int NotANumber(const FakeResult* result, Format format) {
  if (!format.not_a_number) return 0;
  memcpy(result->data, &format.not_a_number, format.size);
  return 1;
}

static int Half(const FakeResult* result, Format format) {
  if (!format.dropped) return 0;
  const uint64_t unit = (uint64_t)1 << format.dropped;
  for (char* at = result->data; at < (char*)result->data + result->bytes; at += format.size) {
    const uint64_t bits = (Read(at, format.size) + unit / 2) & ~(unit - 1);
    memcpy(at, &bits, format.size);
  }
  return 1;
}

static int Stale(Fault* fault, const FakeResult* result) {
  const size_t bytes = result->bytes;
  const int is_same_size = fault->last && fault->last_bytes == bytes;
  if (is_same_size && memcmp(fault->last, result->data, bytes) != 0) {
    memcpy(result->data, fault->last, bytes);
    return 1;
  }
  fault->last = realloc(fault->last, bytes);
  fault->last_bytes = bytes;
  memcpy(fault->last, result->data, bytes);
  return 0;
}

static int Fire(Fault* fault, const FakeResult* result, Format format) {
  switch (fault->kind) {
    case WRONG:
      return Wrong(result, format);
    case STALE:
      return Stale(fault, result);
    case NOT_A_NUMBER:
      return NotANumber(result, format);
    case HALF:
      return Half(result, format);
    case CRASH:
      Count(fault->record);
      raise(SIGSEGV);
      return 0;
    case HANG:
      Count(fault->record);
      for (;;) pause();
    case LEAK:
      leaked = malloc(kLeakedBytes);
      memset((void*)leaked, 1, kLeakedBytes);
      return 1;
    case SLOW:
      usleep(kSlowMicroseconds);
      return 1;
    default:
      return 0;
  }
}

void FakeRun(FakeOp* op, const FakeResult* result) {
  PlantOnceForked();
  Count(op->record);
  if (!op->fault_count) return;
  const Format format = FormatOf(result->type);
  const int has_content = format.size && result->bytes >= format.size;
  for (int i = 0; i < op->fault_count; ++i) {
    Fault* fault = op->faults[i];
    const int is_planted_in_numbers = WRONG <= fault->kind && fault->kind <= HALF;
    if (fault->kind == MISSING || (is_planted_in_numbers && !has_content)) continue;
    pthread_mutex_lock(&lock);
    const int holds = Holds(fault, result);
    pthread_mutex_unlock(&lock);
    if (holds && Fire(fault, result, format)) Count(fault->record);
  }
}
