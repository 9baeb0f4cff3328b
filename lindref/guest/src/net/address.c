/* Internet addresses as text, and byte order. */
#include "../internal.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct in6_addr in6addr_any = IN6ADDR_ANY_INIT, in6addr_loopback = IN6ADDR_LOOPBACK_INIT;

uint32_t htonl(uint32_t value)
{
    return __builtin_bswap32(value);
}

uint32_t ntohl(uint32_t value)
{
    return __builtin_bswap32(value);
}

uint16_t htons(uint16_t value)
{
    return __builtin_bswap16(value);
}

uint16_t ntohs(uint16_t value)
{
    return __builtin_bswap16(value);
}

/* One to four numbers in C's notations; the last one fills what is left. */
int inet_aton(const char *text, struct in_addr *address)
{
    unsigned long parts[4];
    int count = 0;
    for (;;) {
        char *end;
        if (!isdigit((unsigned char)*text))
            return 0;
        parts[count++] = strtoul(text, &end, 0);
        text = end;
        if (*text != '.' || count == 4)
            break;
        text++;
    }
    if (*text && !isspace((unsigned char)*text))
        return 0;
    uint32_t value = 0;
    for (int i = 0; i < count - 1; i++) {
        if (parts[i] > 255)
            return 0;
        value |= parts[i] << (24 - 8 * i);
    }
    if (count > 1 && parts[count - 1] >= 1UL << (8 * (5 - count)))
        return 0;
    value |= parts[count - 1];
    if (address)
        address->s_addr = htonl(value);
    return 1;
}

in_addr_t inet_addr(const char *text)
{
    struct in_addr address;
    return inet_aton(text, &address) ? address.s_addr : INADDR_NONE;
}

in_addr_t inet_network(const char *text)
{
    return ntohl(inet_addr(text));
}

struct in_addr inet_makeaddr(in_addr_t network, in_addr_t host)
{
    int shift = network < 128 ? 24 : network < 65536 ? 16 : network < 1UL << 24 ? 8 : 0;
    return (struct in_addr){htonl(network << shift | host)};
}

static int write_four(char *to, const unsigned char *bytes)
{
    return sprintf(to, "%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]);
}

char *inet_ntoa(struct in_addr address)
{
    static char text[INET_ADDRSTRLEN];
    write_four(text, (unsigned char *)&address);
    return text;
}

/* The longest run of two or more zero groups, the first of equals, becomes "::" (RFC 5952). */
static void write_six(char *to, const unsigned char *bytes)
{
    unsigned groups[8];
    int best = -1, best_length = 1;
    for (int i = 0; i < 8; i++)
        groups[i] = bytes[2 * i] << 8 | bytes[2 * i + 1];
    for (int i = 0; i < 8; i++) {
        int length = 0;
        while (i + length < 8 && !groups[i + length])
            length++;
        if (length > best_length) {
            best = i;
            best_length = length;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            *to++ = ':';
            i += best_length - 1;
            if (i == 7)
                *to++ = ':';
            continue;
        }
        if (i)
            *to++ = ':';
        if (i == 6 && best == 0 && (best_length == 6 || (best_length == 5 && groups[5] == 0xffff))) {
            to += write_four(to, bytes + 12);
            break;
        }
        to += sprintf(to, "%x", groups[i]);
    }
    *to = 0;
}

const char *inet_ntop(int family, const void *restrict address, char *restrict text, socklen_t size)
{
    char whole[INET6_ADDRSTRLEN + 8];
    if (family == AF_INET) {
        write_four(whole, address);
    } else if (family == AF_INET6) {
        write_six(whole, address);
    } else {
        errno = EAFNOSUPPORT;
        return 0;
    }
    if (strlen(whole) >= size) {
        errno = ENOSPC;
        return 0;
    }
    return strcpy(text, whole);
}

/* Exactly four decimal numbers without leading zeros. */
static int read_four(const char *text, unsigned char *bytes)
{
    for (int i = 0; i < 4; i++) {
        int value = 0, digits = 0;
        while (isdigit((unsigned char)*text)) {
            if (digits++ && value == 0)
                return 0;
            value = value * 10 + *text++ - '0';
            if (value > 255)
                return 0;
        }
        if (!digits || *text != (i < 3 ? '.' : 0))
            return 0;
        text++;
        bytes[i] = value;
    }
    return 1;
}

static int read_six(const char *text, unsigned char *bytes)
{
    unsigned char out[16] = {0};
    int used = 0, gap = -1;
    if (*text == ':' && *++text != ':')
        return 0;
    while (*text) {
        const char *begin = text;
        unsigned value = 0;
        int digits = 0;
        if (*text == ':') {
            if (gap >= 0)
                return 0;
            gap = used;
            if (!*++text)
                break;
            continue;
        }
        while (isxdigit((unsigned char)*text) && digits < 5) {
            value = value * 16 + (isdigit((unsigned char)*text) ? *text - '0' : (*text | 32) - 'a' + 10);
            text++;
            digits++;
        }
        if (*text == '.') {
            if (used > 12 || !read_four(begin, out + used))
                return 0;
            used += 4;
            text += strlen(text);
            break;
        }
        if (!digits || digits > 4 || used > 14)
            return 0;
        out[used++] = value >> 8;
        out[used++] = value;
        if (*text == ':') {
            if (!*++text)
                return 0;
        } else if (*text) {
            return 0;
        }
    }
    if (gap < 0 ? used != 16 : used > 14)
        return 0;
    memset(bytes, 0, 16);
    if (gap < 0)
        gap = used;
    memcpy(bytes, out, gap);
    memcpy(bytes + 16 - (used - gap), out + gap, used - gap);
    return 1;
}

int inet_pton(int family, const char *restrict text, void *restrict address)
{
    unsigned char four[4];
    if (family == AF_INET6)
        return read_six(text, address);
    if (family != AF_INET) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    if (!read_four(text, four))
        return 0;
    memcpy(address, four, 4);
    return 1;
}
