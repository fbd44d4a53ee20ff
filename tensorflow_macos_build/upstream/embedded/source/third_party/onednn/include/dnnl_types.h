/* Types of oneDNN, as far as TensorFlow's headers name them. */
#ifndef DNNL_TYPES_H
#define DNNL_TYPES_H

typedef enum { dnnl_success = 0, dnnl_out_of_memory = 1 } dnnl_status_t;

#endif /* DNNL_TYPES_H */
