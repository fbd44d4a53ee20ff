#include "tensorflow/core/common_runtime/step_stats.h"

#include <stddef.h>

static TF_Placement steps[TF_MAX_STEP_STATS];
static int64_t recorded = 0;

void TF_RecordStep(const TF_Placement *placement) {
  steps[recorded++ % TF_MAX_STEP_STATS] = *placement;
}

int TF_NumSteps(void) {
  return recorded < TF_MAX_STEP_STATS ? (int)recorded : TF_MAX_STEP_STATS;
}

const TF_Placement *TF_GetStep(int number) {
  int count = TF_NumSteps();
  if (number < 0 || number >= count) return NULL;
  return &steps[(recorded - count + number) % TF_MAX_STEP_STATS];
}

void TF_ClearSteps(void) { recorded = 0; }
