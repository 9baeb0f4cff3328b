/* Feature test macros: the kit shows everything it has, whatever is asked for. */
#ifndef _FEATURES_H
#define _FEATURES_H

#define __LIND_GUEST_KIT__ 1

#ifdef __cplusplus
#define __BEGIN_DECLS extern "C" {
#define __END_DECLS }
#else
#define __BEGIN_DECLS
#define __END_DECLS
#endif

#endif
