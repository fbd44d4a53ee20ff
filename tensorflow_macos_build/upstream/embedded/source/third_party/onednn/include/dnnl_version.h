/* The version of oneDNN whose headers these are. */
#ifndef DNNL_VERSION_H
#define DNNL_VERSION_H

#define DNNL_VERSION_MAJOR 3
#define DNNL_VERSION_MINOR 2
#define DNNL_VERSION_PATCH 1

#endif /* DNNL_VERSION_H */
