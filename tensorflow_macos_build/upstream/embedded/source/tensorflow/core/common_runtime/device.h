/* The devices of this machine that ops can run on. */
#ifndef TENSORFLOW_CORE_COMMON_RUNTIME_DEVICE_H_
#define TENSORFLOW_CORE_COMMON_RUNTIME_DEVICE_H_

typedef struct TF_Device {
  const char *type;
  const char *name;
} TF_Device;

/* How many devices there are. */
int TF_NumDevices(void);

/* A device by its number; those that ops prefer come first. Null when there is none. */
const TF_Device *TF_GetDevice(int number);

#endif /* TENSORFLOW_CORE_COMMON_RUNTIME_DEVICE_H_ */
