#ifndef CALLOCATIONCOUNT_H
#define CALLOCATIONCOUNT_H
#include <stdint.h>
/* How often the calling thread has asked the heap for memory since it began. */
uint64_t allocation_count(void);

/* The bare system calls of an uncontended lock: a private file, its bytes, its kernel lock, its name; then all
   of it away again. 0 on success. */
int bare_lock_cycle(int directory, const char *private_name, const char *lock_name);
/* The bare system calls of a validation: two looks at names, one read. */
int bare_validate(int directory, const char *lock_name, const char *data_name, int lock);
/* The same, and the eight bytes of a renewal. */
int bare_renew(int directory, const char *lock_name, const char *data_name, int lock);
#endif
