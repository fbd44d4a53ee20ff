/* What ran where: one record for each op, written when the op has run. */
#ifndef TENSORFLOW_CORE_COMMON_RUNTIME_STEP_STATS_H_
#define TENSORFLOW_CORE_COMMON_RUNTIME_STEP_STATS_H_

#include "tensorflow/core/common_runtime/placer.h"

#define TF_MAX_STEP_STATS 4096

/* Remembers that a kernel has run; the oldest records give way to the newest. */
void TF_RecordStep(const TF_Placement *placement);

/* How many records there are. */
int TF_NumSteps(void);

/* A record by its age, the oldest first; null when there is none. */
const TF_Placement *TF_GetStep(int number);

/* Forgets all records. */
void TF_ClearSteps(void);

#endif /* TENSORFLOW_CORE_COMMON_RUNTIME_STEP_STATS_H_ */
