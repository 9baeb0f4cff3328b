/* Device numbers: the Linux packing into 64 bits. */
#ifndef _SYS_SYSMACROS_H
#define _SYS_SYSMACROS_H

#define major(dev) ((unsigned)(((unsigned long long)(dev) >> 31 >> 1 & 0xfffff000) | ((unsigned long long)(dev) >> 8 & 0xfff)))
#define minor(dev) ((unsigned)(((unsigned long long)(dev) >> 12 & 0xffffff00) | ((unsigned long long)(dev) & 0xff)))
#define makedev(high, low) \
    (((unsigned long long)(high) & 0xfffff000ULL) << 32 | ((unsigned long long)(high) & 0xfffULL) << 8 | \
     ((unsigned long long)(low) & 0xffffff00ULL) << 12 | ((unsigned long long)(low) & 0xffULL))

#endif
