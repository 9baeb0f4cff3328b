/* System data types. */
#ifndef _SYS_TYPES_H
#define _SYS_TYPES_H

#include <bits/alltypes.h>
#include <bits/pthreadtypes.h>

typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef unsigned long u_long;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef unsigned char u_int8_t;
typedef unsigned short u_int16_t;
typedef unsigned int u_int32_t;
typedef unsigned long long u_int64_t;
typedef char *caddr_t;
typedef long long quad_t;
typedef unsigned long long u_quad_t;

#include <sys/sysmacros.h>

#endif
