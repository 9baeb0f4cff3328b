/* dlopen and its kin: the host does the work, here its answers become pointers and texts. */
#include "../internal.h"

#include <dlfcn.h>

#define IMPORT(name) __attribute__((import_module("lind"), import_name(name)))

IMPORT("dlopen") int __lind_import_dlopen(const char *path, int mode);
IMPORT("dlsym") int __lind_import_dlsym(int handle, const char *name);
IMPORT("dlclose") int __lind_import_dlclose(int handle);

static const char *const texts[] = {
    [1] = "cannot open shared object file",
    [2] = "Invalid library file type: expects wasm file",
    [3] = "shared wasm object file does not have dylink.0 section",
    [4] = "error while loading shared libraries",
    [5] = "undefined symbol",
    [6] = "invalid handler",
    [7] = "symbol not found",
    [8] = "shared object is already closed",
    [9] = "internal error",
};

static int last_error;

/* Results from -9 to -1 are codes; smaller ones are addresses above 2 GiB. */
static int failed(int result)
{
    if (result >= 0 || result <= -(int)LENGTH(texts))
        return 0;
    last_error = -result;
    return 1;
}

void *dlopen(const char *path, int mode)
{
    int result = __lind_import_dlopen(path, mode);
    return failed(result) ? 0 : (void *)result;
}

void *dlsym(void *restrict handle, const char *restrict name)
{
    int result = __lind_import_dlsym((int)handle, name);
    return failed(result) ? 0 : (void *)result;
}

int dlclose(void *handle)
{
    return failed(__lind_import_dlclose((int)handle)) ? -1 : 0;
}

char *dlerror(void)
{
    const char *text = last_error ? texts[last_error] : 0;
    last_error = 0;
    return (char *)text;
}
