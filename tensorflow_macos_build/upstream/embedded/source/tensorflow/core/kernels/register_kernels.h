/* The kernels that are compiled in. */
#ifndef TENSORFLOW_CORE_KERNELS_REGISTER_KERNELS_H_
#define TENSORFLOW_CORE_KERNELS_REGISTER_KERNELS_H_

/* Registers every kernel; all calls but the first do nothing. */
void TF_RegisterAllKernels(void);

void TF_RegisterMatMulKernels(void);
void TF_RegisterBiasKernels(void);
void TF_RegisterCwiseKernels(void);
void TF_RegisterReductionKernels(void);
void TF_RegisterTrainingKernels(void);

#endif /* TENSORFLOW_CORE_KERNELS_REGISTER_KERNELS_H_ */
