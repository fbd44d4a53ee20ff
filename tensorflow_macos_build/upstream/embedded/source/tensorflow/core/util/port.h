/* What this TensorFlow was compiled with. */
#ifndef TENSORFLOW_CORE_UTIL_PORT_H_
#define TENSORFLOW_CORE_UTIL_PORT_H_

/* Whether CUDA support is compiled in. */
int IsGoogleCudaEnabled(void);

/* Whether ROCm support is compiled in. */
int IsBuiltWithROCm(void);

/* Whether XLA is compiled in. */
int IsBuiltWithXLA(void);

#endif /* TENSORFLOW_CORE_UTIL_PORT_H_ */
