// Counters of what a device of the tests runs, and faults that are planted in its ops.
//
// FAKEDEVICE_FAULTS="MatMul:wrong:batch>=20,Relu:nan:call=3" plants faults: an op, a kind, conditions
// that all must hold. Kinds: missing, wrong, stale, nan, half, crash, hang, leak, slow. Conditions,
// each with `=` or `>=`: batch (the first dimension of what the op computes with), dim (its longest
// dimension), type (of the result, a TF_DataType), call (the how manieth time, in one process, that
// the other conditions hold). What is no fault ends the process: a test must not plant nothing.
// `@PATH` stands for what a file holds; a process that was forked after the device was loaded reads
// it anew. But which kernels are missing is settled when the device is loaded.
//
// FAKEDEVICE_COUNTS names a file of records of 128 bytes, a name and a count: `run OP` for each op of
// the device, `fault FAULT` for each planted fault. It is mapped, so that a process that crashes, is
// killed or forks leaves its counts too.

#ifndef TESTS_FAKEDEVICE_FAULTS_H_
#define TESTS_FAKEDEVICE_FAULTS_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct FakeOp FakeOp;

// What one run of an op's kernel computed: a result in the host's memory, and the shape of the input
// that carries the batch.
typedef struct {
  int type;  // TF_DataType
  void* data;
  size_t bytes;
  int64_t batch;
  int64_t longest;
} FakeResult;

// Returns the op of that name, the same at each call. It is not thread-safe: call it at registration.
FakeOp* FakeOpNamed(const char* name);

// Whether faults are planted in the op.
int FakeHasFaults(const FakeOp* op);

// Whether the op's kernels are to be left out; that counts as a firing of the fault.
int FakeIsMissing(FakeOp* op);

// Counts a run, and lets the faults fire whose conditions hold.
void FakeRun(FakeOp* op, const FakeResult* result);

#ifdef __cplusplus
}
#endif

#endif  // TESTS_FAKEDEVICE_FAULTS_H_
