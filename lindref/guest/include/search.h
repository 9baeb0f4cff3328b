/* POSIX: trees, lists, tables and arrays that are searched. */
#ifndef _SEARCH_H
#define _SEARCH_H

#include <features.h>
#include <stddef.h>

__BEGIN_DECLS

typedef enum { preorder, postorder, endorder, leaf } VISIT;
typedef enum { FIND, ENTER } ACTION;
typedef struct {
    char *key;
    void *data;
} ENTRY;

void *tsearch(const void *key, void **root, int (*compare)(const void *, const void *));
void *tfind(const void *key, void *const *root, int (*compare)(const void *, const void *));
void *tdelete(const void *restrict key, void **restrict root, int (*compare)(const void *, const void *));
void twalk(const void *root, void (*visit)(const void *, VISIT, int));
void tdestroy(void *root, void (*release)(void *));
void *lfind(const void *key, const void *base, size_t *count, size_t size, int (*compare)(const void *, const void *));
void *lsearch(const void *key, void *base, size_t *count, size_t size, int (*compare)(const void *, const void *));
int hcreate(size_t count);
void hdestroy(void);
ENTRY *hsearch(ENTRY item, ACTION action);
void insque(void *element, void *previous);
void remque(void *element);

__END_DECLS

#endif
